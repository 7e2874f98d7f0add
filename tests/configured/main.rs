//! What configuration changes in annotated functions: one process, one configuration, so one test at a time.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod catalogue;
mod environment;
mod events;
mod keyed;
mod overrides;
mod waiting;

use resilient::{Classify, Rejected};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Debug, PartialEq, Eq, thiserror::Error, Classify)]
enum ShopError {
    #[error("reset")]
    #[transient]
    Reset,
    #[error(transparent)]
    Rejected(#[from] Rejected),
}

/// One test's time with the process's configuration, which is empty before and after.
struct Turn(#[expect(dead_code, reason = "held")] MutexGuard<'static, ()>);

impl Turn {
    fn take() -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = Self(TURN.lock().unwrap_or_else(PoisonError::into_inner));
        resilient::configure().install().unwrap();
        turn
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        resilient::configure().install().unwrap();
        resilient::enable_retries(true);
    }
}
