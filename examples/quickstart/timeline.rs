//! A `tracing` layer that tells a person at a terminal what `resilient` does.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

#[derive(Clone)]
pub(crate) struct Timeline {
    start: Instant,
    /// What happened to circuits, and when.
    circuits: Arc<Mutex<Vec<(&'static str, Instant)>>>,
}

impl Timeline {
    pub(crate) fn start() -> Self {
        Self { start: Instant::now(), circuits: Arc::default() }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    pub(crate) fn title(title: &str) {
        println!("\n{title}");
    }

    pub(crate) fn line(&self, what: &str, text: impl Display) {
        println!("{:>8.3} s  {what:<10}  {text}", self.elapsed().as_secs_f64());
    }

    /// When an event of this name came first.
    pub(crate) fn first(&self, name: &str) -> Option<Instant> {
        let circuits = self.circuits.lock().unwrap_or_else(PoisonError::into_inner);
        circuits.iter().find(|(event, _)| *event == name).map(|(_, moment)| *moment)
    }

    fn note(&self, event: &'static str) {
        self.circuits.lock().unwrap_or_else(PoisonError::into_inner).push((event, Instant::now()));
    }
}

impl<S: Subscriber> Layer<S> for Timeline {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.target() == "resilient"
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let name = event.metadata().name();
        let mut fields = Fields::default();
        event.record(&mut fields);
        if name.starts_with("circuit_") {
            self.note(name);
        }
        match name {
            "retry" => self.line("retry", format_args!("{}; again in {} ms", fields.attempt(), fields.of("delay_ms"))),
            "exhausted" => self.line("give up", format_args!("{}: {}", fields.of("function"), fields.of("reason"))),
            "rejected" => self.line("refuse", format_args!("{}: {}", fields.of("function"), fields.of("reason"))),
            "circuit_opened" => self.line("OPEN", format_args!("{}, for {} ms", fields.circuit(), fields.of("open_for_ms"))),
            "circuit_half_open" => self.line("HALF OPEN", format_args!("{}: this call may try", fields.circuit())),
            "circuit_closed" => self.line("CLOSED", format_args!("{}: all may call again", fields.circuit())),
            other => self.line(other, format_args!("{:?}", fields.0)),
        }
    }
}

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Fields {
    fn of(&self, name: &str) -> &str {
        self.0.get(name).map_or("?", String::as_str)
    }

    fn attempt(&self) -> String {
        format!("{}, attempt {}: {}", self.of("function"), self.of("attempt"), self.of("error"))
    }

    fn circuit(&self) -> String {
        format!("circuit `{}`", self.of("breaker"))
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}
