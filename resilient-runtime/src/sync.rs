//! Where every lock and every shared word of the crate comes from.

pub(crate) use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

/// What our locks guard is never half changed when user code runs, so a panic elsewhere leaves it sound.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
