//! What the crate told in an execution, as `tracing` events.

use std::cell::RefCell;
use std::fmt::Debug;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

thread_local! {
    static TOLD: RefCell<Vec<Told>> = const { RefCell::new(Vec::new()) };
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) name: &'static str,
    pub(super) failures: u64,
}

pub(super) fn hear<R>(steps: impl FnOnce() -> R) -> R {
    tracing::subscriber::with_default(Ear, steps)
}

pub(super) fn forget() {
    TOLD.take();
}

pub(super) fn told() -> Vec<Told> {
    TOLD.with_borrow(Clone::clone)
}

/// How often something of that name was told.
pub(super) fn times(name: &str) -> usize {
    TOLD.with_borrow(|told| told.iter().filter(|told| told.name == name).count())
}

struct Ear;

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
        let mut told = Told { name: event.metadata().name(), failures: 0 };
        event.record(&mut told);
        TOLD.with_borrow_mut(|all| all.push(told));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl Visit for Told {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "failures" {
            self.failures = value;
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}
