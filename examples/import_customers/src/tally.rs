//! Counts what `resilient` tells.

use crate::progress::Progress;
use indicatif::ProgressBar;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// Retries so far, and the time spent waiting for them.
#[derive(Clone, Default)]
pub(crate) struct Tally(Arc<Counts>);

#[derive(Default)]
struct Counts {
    retries: AtomicU64,
    waited_ms: AtomicU64,
}

impl Tally {
    /// Begins to listen. Where there is no bar, logs go to stderr as JSON.
    pub(crate) fn listen(progress: &Progress) -> Self {
        let tally = Self::default();
        let wanted = Targets::new().with_default(LevelFilter::INFO).with_target("resilient", LevelFilter::DEBUG);
        let logs = tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(std::io::stderr);
        let logs = progress.bar().is_none().then(|| logs.with_filter(wanted));
        let counter = Counter { tally: tally.clone(), bar: progress.bar().cloned() };
        let counter = counter.with_filter(Targets::new().with_target("resilient", LevelFilter::DEBUG));
        tracing_subscriber::registry().with(counter).with(logs).init();
        tally
    }

    pub(crate) fn retries(&self) -> u64 {
        self.0.retries.load(Ordering::Relaxed)
    }

    pub(crate) fn waited(&self) -> Duration {
        Duration::from_millis(self.0.waited_ms.load(Ordering::Relaxed))
    }
}

struct Counter {
    tally: Tally,
    bar: Option<ProgressBar>,
}

impl<S: Subscriber> Layer<S> for Counter {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().name() != "retry" {
            return;
        }
        let mut retry = Retry::default();
        event.record(&mut retry);
        self.tally.0.retries.fetch_add(1, Ordering::Relaxed);
        self.tally.0.waited_ms.fetch_add(retry.delay_ms, Ordering::Relaxed);
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{}; again in {} ms", retry.error, retry.delay_ms));
        }
    }
}

#[derive(Default)]
struct Retry {
    delay_ms: u64,
    error: String,
}

impl Visit for Retry {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "delay_ms" {
            self.delay_ms = value;
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "error" {
            self.error = format!("{value:?}");
        }
    }
}
