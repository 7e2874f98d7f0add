//! Hears what the library tells this thread.

use crate::event::Heard;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Metadata, Subscriber};

thread_local! {
    static HEARD: RefCell<Vec<Heard>> = const { RefCell::new(Vec::new()) };
}

struct Ear;

struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

impl Subscriber for Ear {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "resilient"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(BTreeMap::new());
        event.record(&mut fields);
        fields.0.remove("message");
        HEARD.with_borrow_mut(|heard| heard.push(Heard { name: event.metadata().name(), fields: fields.0 }));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Does something, and hears of it.
pub(crate) fn listening<T>(work: impl FnOnce() -> T) -> T {
    static DISPATCH: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(Ear));
    tracing::dispatcher::with_default(&DISPATCH, work)
}

/// All that was heard.
pub(crate) fn take() -> Vec<Heard> {
    HEARD.take()
}

/// What is heard so far, from some place on.
pub(crate) fn with_heard<T>(look: impl FnOnce(&[Heard]) -> T) -> T {
    HEARD.with_borrow(|heard| look(heard))
}
