//! Where every lock and every shared word of the crate comes from: from the standard library, except where a model checker runs the
//! [`interleavings`](crate::interleavings) of threads and decides who goes first.

#[cfg(all(test, any(interleaved = "loom", interleaved = "shuttle")))]
#[expect(dead_code, reason = "a word offers what the standard library's do")]
mod woven;

#[cfg(all(test, any(interleaved = "loom", interleaved = "shuttle")))]
pub(crate) use woven::*;

#[cfg(not(all(test, any(interleaved = "loom", interleaved = "shuttle"))))]
mod plain {
    pub(crate) use crossbeam_utils::atomic::AtomicCell;
    pub(crate) use once_cell::race::{OnceBox, OnceRef};
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize};
    pub(crate) use std::sync::{Mutex, MutexGuard};
    pub(crate) use std::thread;

    /// Whether a bug that the models must catch is planted here.
    macro_rules! seeded {
        ($bug:literal) => {
            false
        };
    }
    pub(crate) use seeded;
}

#[cfg(not(all(test, any(interleaved = "loom", interleaved = "shuttle"))))]
pub(crate) use plain::*;

pub(crate) use std::sync::atomic::Ordering;
pub(crate) use std::sync::{PoisonError, TryLockError};

/// Words of the whole process, and of tests' own: no model has a say in who goes first there.
pub(crate) mod fixed {
    #[cfg(feature = "testing")]
    pub(crate) use std::sync::atomic::AtomicU64;
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU32};
}

/// What our locks guard is never half changed when user code runs, so a panic elsewhere leaves it sound.
#[expect(clippy::disallowed_methods, reason = "the one place where a lock is taken")]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
