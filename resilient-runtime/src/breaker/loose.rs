//! Permits that a model's threads hand to each other.

use super::{Breaker, Counts, Permit, Word};
use crate::clock::Instant;

/// A permit without its breaker.
#[derive(Clone, Copy)]
pub(crate) struct Loose(Word);

impl Permit<'_> {
    pub(crate) fn loose(self) -> Loose {
        let word = self.word;
        std::mem::forget(self);
        Loose(word)
    }
}

impl Loose {
    pub(crate) fn is_probe(self) -> bool {
        self.0.probe().is_some()
    }

    pub(crate) fn of(self, breaker: &Breaker) -> Permit<'_> {
        Permit { breaker, word: self.0 }
    }
}

impl Breaker {
    pub(crate) fn counted_at(&self, now: Instant) -> Counts {
        self.counted(now)
    }

    pub(crate) fn generation(&self) -> u32 {
        self.load().generation()
    }
}
