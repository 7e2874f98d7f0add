//! Atomic words.

use super::{Plain, Supply, Theirs, supply};
use std::fmt;
use std::rc::Rc;
use std::sync::atomic::Ordering;

/// The bits of a narrow word stand at the upper end, so that it overflows where it should.
struct Word {
    plain: Plain,
    /// In which execution it has which of the checker's words.
    claim: Plain,
}

const NUMBER: u32 = 8;

impl Word {
    const fn new(bits: u64) -> Self {
        Self { plain: Plain::new(bits), claim: Plain::new(0) }
    }

    fn claimed(&self) -> Option<(Rc<Supply>, usize)> {
        let supply = supply()?;
        let claim = self.claim.load(Ordering::Relaxed);
        if claim >> NUMBER == supply.execution {
            return Some((supply, (claim & ((1 << NUMBER) - 1)) as usize));
        }
        let number = supply.used.replace(supply.used.get() + 1);
        assert!(number < supply.words.len(), "a model with more than {number} shared words");
        supply.words[number].base.set(self.plain.load(Ordering::Relaxed));
        self.claim.store((supply.execution << NUMBER) + number as u64, Ordering::Relaxed);
        Some((supply, number))
    }

    /// The checker's word and what it counts from, or the plain one.
    fn with<R>(&self, theirs: impl FnOnce(&Theirs, u64) -> R, plain: impl FnOnce(&Plain) -> R) -> R {
        match self.claimed() {
            Some((supply, number)) => {
                let supplied = &supply.words[number];
                theirs(supplied.take_turn(), supplied.base.get())
            }
            None => plain(&self.plain),
        }
    }

    fn load(&self, order: Ordering) -> u64 {
        self.with(|word, base| word.load(order).wrapping_add(base), |plain| plain.load(order))
    }

    fn store(&self, bits: u64, order: Ordering) {
        self.with(|word, base| word.store(bits.wrapping_sub(base), order), |plain| plain.store(bits, order));
    }

    fn swap(&self, bits: u64, order: Ordering) -> u64 {
        self.with(|word, base| word.swap(bits.wrapping_sub(base), order).wrapping_add(base), |plain| plain.swap(bits, order))
    }

    fn compare_exchange(&self, current: u64, next: u64, success: Ordering, failure: Ordering) -> Result<u64, u64> {
        let theirs = |word: &Theirs, base: u64| {
            let exchanged = word.compare_exchange(current.wrapping_sub(base), next.wrapping_sub(base), success, failure);
            exchanged.map(|bits| bits.wrapping_add(base)).map_err(|bits| bits.wrapping_add(base))
        };
        self.with(theirs, |plain| plain.compare_exchange(current, next, success, failure))
    }

    fn fetch_add(&self, bits: u64, order: Ordering) -> u64 {
        self.with(|word, base| word.fetch_add(bits, order).wrapping_add(base), |plain| plain.fetch_add(bits, order))
    }
}

macro_rules! words {
    ($($name:ident: $type:ty, $from:expr, $to:expr;)*) => {$(
        pub(crate) struct $name(Word);

        impl $name {
            pub(crate) const fn new(value: $type) -> Self {
                Self(Word::new($to(value)))
            }

            pub(crate) fn load(&self, order: Ordering) -> $type {
                $from(self.0.load(order))
            }

            pub(crate) fn store(&self, value: $type, order: Ordering) {
                self.0.store($to(value), order);
            }

            pub(crate) fn swap(&self, value: $type, order: Ordering) -> $type {
                $from(self.0.swap($to(value), order))
            }

            pub(crate) fn compare_exchange(
                &self,
                current: $type,
                next: $type,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$type, $type> {
                self.0.compare_exchange($to(current), $to(next), success, failure).map($from).map_err($from)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                $from(self.0.plain.load(Ordering::Relaxed)).fmt(formatter)
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self(Word::new(0))
            }
        }
    )*};
}

words! {
    AtomicBool: bool, is_set, of_bool;
    AtomicU32: u32, upper_half, of_u32;
    AtomicU64: u64, same, same;
    AtomicUsize: usize, to_usize, of_usize;
}

macro_rules! numbers {
    ($($name:ident: $type:ty, $from:expr, $to:expr;)*) => {$(
        impl $name {
            pub(crate) fn compare_exchange_weak(
                &self,
                current: $type,
                next: $type,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$type, $type> {
                self.compare_exchange(current, next, success, failure)
            }

            pub(crate) fn fetch_add(&self, value: $type, order: Ordering) -> $type {
                $from(self.0.fetch_add($to(value), order))
            }

            pub(crate) fn fetch_sub(&self, value: $type, order: Ordering) -> $type {
                $from(self.0.fetch_add($to(value).wrapping_neg(), order))
            }

            pub(crate) fn fetch_max(&self, value: $type, order: Ordering) -> $type {
                self.fetch_update(order, Ordering::Relaxed, |now| Some(now.max(value))).unwrap_or_default()
            }

            /// As the standard library does it.
            pub(crate) fn fetch_update(
                &self,
                success: Ordering,
                failure: Ordering,
                mut change: impl FnMut($type) -> Option<$type>,
            ) -> Result<$type, $type> {
                let mut before = self.load(failure);
                while let Some(next) = change(before) {
                    match self.compare_exchange(before, next, success, failure) {
                        Ok(before) => return Ok(before),
                        Err(actual) => before = actual,
                    }
                }
                Err(before)
            }
        }
    )*};
}

numbers! {
    AtomicU32: u32, upper_half, of_u32;
    AtomicU64: u64, same, same;
    AtomicUsize: usize, to_usize, of_usize;
}

const fn is_set(bits: u64) -> bool {
    bits != 0
}

const fn of_bool(value: bool) -> u64 {
    (value as u64) << 63
}

const fn upper_half(bits: u64) -> u32 {
    (bits >> 32) as u32
}

const fn of_u32(value: u32) -> u64 {
    (value as u64) << 32
}

const fn same(bits: u64) -> u64 {
    bits
}

#[expect(clippy::cast_possible_truncation, reason = "a model runs where they are as wide")]
const fn to_usize(bits: u64) -> usize {
    bits as usize
}

const fn of_usize(value: usize) -> u64 {
    value as u64
}
