//! What a person sees meanwhile, on stderr.

use std::fmt;
use std::io::IsTerminal as _;
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

const ERASE: &str = "\r\x1b[2K";

#[derive(Clone, Copy)]
pub(crate) struct Status {
    is_terminal: bool,
}

impl Status {
    /// Begins to tell of retries as well.
    pub(crate) fn start() -> Self {
        let status = Self { is_terminal: std::io::stderr().is_terminal() };
        tracing_subscriber::registry().with(status).init();
        status
    }

    pub(crate) fn line(self, text: &str) {
        let erase = if self.is_terminal { ERASE } else { "" };
        eprintln!("{erase}apifetch: {text}");
    }

    /// One line that changes; where it could not change, none.
    pub(crate) fn progress(self, page: u64, records: usize) {
        if self.is_terminal {
            eprint!("{ERASE}page {page}: {records} records");
        }
    }
}

impl<S: Subscriber> Layer<S> for Status {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.target() == "resilient"
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().name() == "retry" {
            let mut retry = Retry::default();
            event.record(&mut retry);
            self.line(&format!("{}; again in {} ms", retry.error, retry.delay_ms));
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

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "error" {
            self.error = format!("{value:?}");
        }
    }
}
