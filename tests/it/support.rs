//! What the topics share.

use resilient::{Classify, Rejected};
use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The error of a service, as a user would write it.
#[derive(Debug, PartialEq, Eq, thiserror::Error, Classify)]
pub(crate) enum ServiceError {
    #[error("reset")]
    #[transient]
    Reset,
    #[error("slow down")]
    #[throttled(retry_after = wait)]
    SlowDown { wait: Option<std::time::Duration> },
    #[error("maintenance")]
    #[transient(retry_after = wait)]
    Maintenance { wait: std::time::Duration },
    #[error("no such thing")]
    #[permanent]
    NotFound,
    #[error("cannot ask that")]
    #[ignored]
    BadQuestion,
    #[error(transparent)]
    Rejected(#[from] Rejected),
}

impl ServiceError {
    pub(crate) fn rejected(self) -> Rejected {
        match self {
            Self::Rejected(rejected) => rejected,
            other => panic!("not refused: {other}"),
        }
    }
}

/// Counts how often something happened.
#[derive(Default)]
pub(crate) struct Counter(Cell<u32>);

impl Counter {
    pub(crate) fn count(&self) -> u32 {
        self.0.set(self.0.get() + 1);
        self.0.get()
    }

    pub(crate) fn get(&self) -> u32 {
        self.0.get()
    }
}

/// Polls once with a waker that does nothing.
pub(crate) fn poll_once<F: Future + ?Sized>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// The value of a future that must be ready at once.
pub(crate) fn ready<F: Future>(future: F) -> F::Output {
    match poll_once(pin!(future)) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the future was expected to be ready"),
    }
}

pub(crate) fn millis(millis: u64) -> std::time::Duration {
    std::time::Duration::from_millis(millis)
}

/// A list of keys in the macro's source: `KEYS` or `BREAKER_KEYS`.
pub(crate) fn keys(list: &str) -> Vec<&'static str> {
    let source = include_str!("../../resilient-macros/src/keys.rs");
    let (_, list) = source.split_once(&format!("const {list}:")).unwrap();
    let (list, _) = list.split_once("];").unwrap();
    list.lines().filter_map(|line| line.trim().strip_prefix("(\"")?.split('"').next()).collect()
}

/// An installed configuration takes the place of the one before, so tests that install one take turns.
pub(crate) fn configuring() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
