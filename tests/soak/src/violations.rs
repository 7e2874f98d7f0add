//! What was promised and did not hold.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

static FOUND: Mutex<Vec<String>> = Mutex::new(Vec::new());
static IS_ANY: AtomicBool = AtomicBool::new(false);

/// What one mistake brings after itself need not all be told.
const MOST: usize = 40;

pub(crate) fn found(what: String) {
    let mut found = lock(&FOUND);
    if found.len() < MOST {
        found.push(what);
    }
    IS_ANY.store(true, Ordering::Release);
}

pub(crate) fn check(holds: bool, what: impl FnOnce() -> String) {
    if !holds {
        found(what());
    }
}

/// Whether to stop, because there is something to tell.
pub(crate) fn is_any() -> bool {
    IS_ANY.load(Ordering::Acquire)
}

pub(crate) fn all() -> Vec<String> {
    lock(&FOUND).clone()
}

/// Panics are part of the program.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
