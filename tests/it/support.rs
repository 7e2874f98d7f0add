//! What the topics share.

use resilient::testing::TurnedClock;
use resilient::{Classify, Policy, Rejected, State, TryAcquireError};
use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// The error of a service, as a user would write it.
#[derive(Debug, PartialEq, Eq, thiserror::Error, Classify)]
pub(crate) enum ServiceError {
    #[error("reset")]
    #[transient]
    Reset,
    #[error("slow down")]
    #[throttled(retry_after = wait)]
    SlowDown { wait: Option<Duration> },
    #[error("maintenance")]
    #[transient(retry_after = wait)]
    Maintenance { wait: Duration },
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

pub(crate) fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Polls `k` times and drops, for every `k` until the future completes; turns tokio's paused clock between polls.
pub(crate) async fn cancel_at_every_point<F: Future>(make: impl Fn() -> F, after: impl AsyncFn()) {
    for polls in 0..200 {
        let mut is_done = false;
        {
            let mut future = pin!(make());
            for _ in 0..polls {
                if poll_once(future.as_mut()).is_ready() {
                    is_done = true;
                    break;
                }
                tokio::time::advance(millis(7)).await;
            }
        }
        after().await;
        if is_done {
            return;
        }
    }
    panic!("the future never completed");
}

/// What a test has by name.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Named<'n> {
    Breaker(&'n str),
    Bucket(&'n str),
    Bulkhead(&'n str),
}

/// All of it is at rest and in nobody's way: no permit is out, nobody waits, and ten of the longest recovery times that circuits have by
/// default later it admits calls: a breaker until its circuit is closed, a bucket after the wait that it tells if not before.
#[track_caller]
pub(crate) fn quiesce(clock: &TurnedClock, named: &[Named<'_>]) {
    is_at_rest(named);
    clock.advance(LONG);
    for (bucket, wait) in admits(named) {
        clock.advance(wait);
        assert_eq!(resilient::bucket(bucket).try_acquire(1), Ok(()), "`{bucket}` after {wait:?}");
    }
}

/// The same under tokio's paused clock, on which no task may be left either.
pub(crate) async fn quiesce_paused(named: &[Named<'_>]) {
    is_at_rest(named);
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
    tokio::time::advance(LONG).await;
    for (bucket, wait) in admits(named) {
        tokio::time::advance(wait).await;
        assert_eq!(resilient::bucket(bucket).try_acquire(1), Ok(()), "`{bucket}` after {wait:?}");
    }
}

const LONG: Duration = Duration::from_secs(10 * 60);

#[track_caller]
fn is_at_rest(named: &[Named<'_>]) {
    for name in named {
        if let Named::Bulkhead(name) = name {
            let bulkhead = resilient::bulkhead(name);
            assert_eq!((bulkhead.in_flight(), bulkhead.waiting()), (0, 0), "in flight and waiting at `{name}`");
        }
    }
}

/// The buckets that have no token yet, and when they say that they will.
#[track_caller]
fn admits<'n>(named: &[Named<'n>]) -> Vec<(&'n str, Duration)> {
    let mut waits = Vec::new();
    for named in named {
        match *named {
            Named::Breaker(name) => closes(name),
            Named::Bucket(name) => match resilient::bucket(name).try_acquire(1) {
                Ok(()) => {}
                Err(TryAcquireError::NotYet { retry_after }) => waits.push((name, retry_after)),
                Err(other) => panic!("`{name}`: {other}"),
            },
            Named::Bulkhead(name) => {
                let policy = Policy::builder().bulkhead(name).max_wait(Duration::ZERO).build().unwrap();
                assert_eq!(policy.run(|| Ok::<_, ServiceError>(())), Ok(()), "`{name}` admits");
            }
        }
    }
    waits
}

#[track_caller]
fn closes(name: &str) {
    let policy = Policy::builder().breaker(name).build().unwrap();
    for _ in 0..1_000 {
        assert_eq!(policy.run(|| Ok::<_, ServiceError>(())), Ok(()), "`{name}` admits");
        if resilient::breaker(name).state() == State::Closed {
            return;
        }
    }
    panic!("`{name}` stays {:?}", resilient::breaker(name).state());
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
