//! Where every lock and every shared word of the crate comes from.

pub(crate) use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

/// What our locks guard is never half changed when user code runs, so a panic elsewhere leaves it sound.
#[expect(clippy::disallowed_methods, reason = "the one place where a lock is taken")]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
