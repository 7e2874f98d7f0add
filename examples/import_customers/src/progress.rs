//! What a person sees: a bar on a terminal, structured logs everywhere else, and a summary at the end.

use crate::error::ImportError;
use crate::store::{Entry, Position};
use crate::summary::Summary;
use crate::tally::Tally;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal as _;
use std::time::Duration;
use tracing::{error, info, warn};

pub(crate) struct Progress(Option<ProgressBar>);

impl Progress {
    pub(crate) fn start() -> Self {
        Self(std::io::stderr().is_terminal().then(bar_of_unknown_length))
    }

    pub(crate) fn bar(&self) -> Option<&ProgressBar> {
        self.0.as_ref()
    }

    pub(crate) fn demonstrates(&self) {
        let told = "without CUSTOMERS_URL this is a demonstration, against a server that fails on purpose";
        if let Some(bar) = &self.0 {
            bar.println(told);
        } else {
            info!("{told}");
        }
    }

    pub(crate) fn resumed(&self, position: &Position, met: u64) {
        if let Some(bar) = &self.0 {
            bar.println(format!("going on after page {}", position.pages));
            bar.set_position(met);
        } else {
            info!(pages = position.pages, "resumed");
        }
    }

    pub(crate) fn forgotten(&self, error: &ImportError) {
        if let Some(bar) = &self.0 {
            bar.println(format!("{error}: starting over, as the API no longer knows where we were"));
        } else {
            warn!(%error, "the API no longer knows where we were; starting over");
        }
    }

    pub(crate) fn waits(&self, wait: Duration, error: &ImportError) {
        if let Some(bar) = &self.0 {
            bar.set_message(format!("the API is not well; asking again in {:.1} s", wait.as_secs_f64()));
        } else {
            warn!(wait_ms = millis(wait), %error, "waiting for the circuit");
        }
    }

    pub(crate) fn page(&self, position: &Position, entries: &[Entry], total: Option<i64>) {
        let refused = entries.iter().filter(|(_, read)| read.is_err()).count();
        let Some(bar) = &self.0 else {
            info!(page = position.pages, rows = entries.len() - refused, refused, "stored");
            return;
        };
        if let (Some(total), None) = (total, bar.length()) {
            bar.set_length(total.unsigned_abs());
            bar.set_style(style("{bar:30} {pos}/{len} customers, {elapsed} {wide_msg}"));
        }
        bar.inc(entries.len() as u64);
        bar.set_message("");
        for (_, read) in entries {
            if let Err(unreadable) = read {
                let whose = unreadable.id.map_or_else(String::new, |id| format!(" of customer {id}"));
                bar.println(format!("set aside: a record{whose} on page {}: {}", position.pages, unreadable.reason));
            }
        }
    }

    pub(crate) fn finished(&self, summary: &Summary, tally: &Tally) {
        let waited = tally.waited() + summary.circuit_waited;
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        } else {
            let Summary { pages, rows, refused, removed, customers, total, circuit_waits, .. } = summary;
            let (retries, waited_ms) = (tally.retries(), millis(waited));
            info!(pages, rows, refused, removed, customers, total, retries, circuit_waits, waited_ms, "finished");
        }
        if let Some(doubt) = summary.doubt() {
            warn!("{doubt}");
        }
        println!("{}", told(summary, tally.retries(), waited));
    }

    pub(crate) fn failed(&self, error: &ImportError) {
        if let Some(bar) = &self.0 {
            bar.abandon();
        } else {
            error!(%error, "failed");
        }
        eprintln!("import_customers: {error}");
    }
}

fn told(summary: &Summary, retries: u64, waited: Duration) -> String {
    let Summary { pages, rows, refused, removed, customers, circuit_waits, .. } = summary;
    let mut lines = vec![
        format!("pages    {pages:>7}"),
        format!("rows     {rows:>7}"),
        format!("refused  {refused:>7}  records that are no customers: see table `refused`"),
        format!("retries  {retries:>7}"),
        format!("waits    {:>7.1}  seconds, for retries and {circuit_waits} × for an open circuit", waited.as_secs_f64()),
        format!("table    {customers:>7}  customers now; {removed} removed that the API no longer has"),
    ];
    lines.extend(summary.doubt());
    lines.join("\n")
}

fn bar_of_unknown_length() -> ProgressBar {
    ProgressBar::no_length().with_style(style("{spinner} {pos} customers, {elapsed} {wide_msg}"))
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
