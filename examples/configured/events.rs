//! A `tracing` layer that prints what `resilient` tells of configuration and circuits, and remembers it.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

#[derive(Clone, Default)]
pub(crate) struct Events(Arc<Mutex<Vec<&'static str>>>);

impl Events {
    /// How often an event of that name has come.
    pub(crate) fn count(&self, name: &str) -> usize {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.iter().filter(|told| **told == name).count()
    }
}

impl<S: Subscriber> Layer<S> for Events {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.target() == "resilient" && ["configuration_", "circuit_"].iter().any(|kind| metadata.name().starts_with(kind))
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = Text::default();
        event.record(&mut text);
        println!("         {}{}", event.metadata().name(), text.0);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event.metadata().name());
    }
}

#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let value = format!("{value:?}");
        let text = match field.name() {
            "error" => format!("\n{value}"),
            "message" => String::new(),
            name => format!("  {name} {value}"),
        };
        self.0.push_str(&text);
    }
}
