//! Cells that are read without a lock. What they hold stays where it is, and a word of the model says which of it is seen.

use super::{AtomicBool, AtomicU64};
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, OnceLock, PoisonError};

/// As in `once_cell::race`: the first to finish wins.
pub(crate) struct OnceBox<T>(Once<Box<T>>);

/// As in `once_cell::race`.
pub(crate) struct OnceRef<'a, T>(Once<&'a T>);

/// As in `crossbeam_utils::atomic`, for what it has no lock for.
pub(crate) struct AtomicCell<T> {
    first: T,
    later: Mutex<Vec<T>>,
    shown: AtomicU64,
}

struct Once<T> {
    is_set: AtomicBool,
    value: OnceLock<T>,
}

impl<T> Once<T> {
    const fn new() -> Self {
        Self { is_set: AtomicBool::new(false), value: OnceLock::new() }
    }

    fn get(&self) -> Option<&T> {
        if self.is_set.load(Ordering::Acquire) { self.value.get() } else { None }
    }

    /// Nobody else gets a turn between the two steps.
    fn set(&self, value: T) -> Result<(), T> {
        match self.is_set.compare_exchange(false, true, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => self.value.set(value),
            Err(_) => Err(value),
        }
    }

    fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        if let Some(value) = self.get() {
            return value;
        }
        let _ = self.set(make());
        self.value.get().unwrap_or_else(|| unreachable!("set above, here or elsewhere"))
    }
}

impl<T> OnceBox<T> {
    pub(crate) const fn new() -> Self {
        Self(Once::new())
    }

    pub(crate) fn get(&self) -> Option<&T> {
        self.0.get().map(|value| &**value)
    }

    pub(crate) fn set(&self, value: Box<T>) -> Result<(), Box<T>> {
        self.0.set(value)
    }

    pub(crate) fn get_or_init(&self, make: impl FnOnce() -> Box<T>) -> &T {
        self.0.get_or_init(make)
    }
}

impl<'a, T> OnceRef<'a, T> {
    pub(crate) const fn new() -> Self {
        Self(Once::new())
    }

    pub(crate) fn get(&self) -> Option<&'a T> {
        self.0.get().copied()
    }

    pub(crate) fn get_or_init(&self, make: impl FnOnce() -> &'a T) -> &'a T {
        self.0.get_or_init(make)
    }
}

impl<T: Copy> AtomicCell<T> {
    pub(crate) const fn new(first: T) -> Self {
        Self { first, later: Mutex::new(Vec::new()), shown: AtomicU64::new(0) }
    }

    pub(crate) fn load(&self) -> T {
        let shown = usize::try_from(self.shown.load(Ordering::Acquire)).unwrap_or(usize::MAX);
        let later = self.later.lock().unwrap_or_else(PoisonError::into_inner);
        shown.checked_sub(1).and_then(|shown| later.get(shown).copied()).unwrap_or(self.first)
    }

    pub(crate) fn store(&self, value: T) {
        let mut later = self.later.lock().unwrap_or_else(PoisonError::into_inner);
        later.push(value);
        let shown = later.len() as u64;
        drop(later);
        self.shown.store(shown, Ordering::Release);
    }
}

impl<T> Default for OnceBox<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Default for OnceRef<'_, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for OnceBox<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OnceBox")
    }
}

impl<T> fmt::Debug for OnceRef<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OnceRef")
    }
}

impl<T> fmt::Debug for AtomicCell<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AtomicCell")
    }
}
