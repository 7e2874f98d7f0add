//! Who takes part in a case, and how its calls are made.

use crate::payment::{Outcome, PaymentError};
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use tokio::runtime::Runtime;
use tower::{Service, ServiceExt as _};

/// Makes so many calls, one after the other, and checks how they came out.
pub type Batch = Box<dyn Fn(u64) + Send + Sync>;

/// What a contender stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The body alone.
    Bare,
    /// The least code, written by hand for this case, that does the job.
    Limit,
    /// `#[resilient]`.
    Ours,
    /// What an experienced user of other crates would write for the same work.
    Peer,
    /// A peer that does less than the whole work; its name says what is missing.
    Partial,
}

/// One way to do a case's work.
#[derive(Debug)]
pub struct Contender {
    /// What it stands for.
    pub role: Role,
    /// What the table calls it.
    pub name: &'static str,
    pub(crate) make: fn() -> Batch,
}

impl Contender {
    /// Sets it up, as a program does at its start, and makes its first calls, which find and count what later ones need not.
    #[must_use]
    pub fn batch(&self) -> Batch {
        let _entered = RUNTIME.enter();
        let batch = (self.make)();
        batch(1_000);
        batch
    }
}

/// Work that several contenders do.
#[derive(Debug)]
pub struct Case {
    /// What the table calls it.
    pub name: &'static str,
    /// How many threads call at the same time.
    pub threads: usize,
    /// How many keys it has; 0 is an unkeyed one.
    pub keys: u64,
    /// Everybody who can do it.
    pub contenders: Vec<Contender>,
}

pub(crate) const fn bare(make: fn() -> Batch) -> Contender {
    Contender { role: Role::Bare, name: "bare function", make }
}

pub(crate) const fn limit(make: fn() -> Batch) -> Contender {
    Contender { role: Role::Limit, name: "limit, by hand", make }
}

pub(crate) const fn ours(make: fn() -> Batch) -> Contender {
    Contender { role: Role::Ours, name: "`#[resilient]`", make }
}

pub(crate) const fn peer(name: &'static str, make: fn() -> Batch) -> Contender {
    Contender { role: Role::Peer, name, make }
}

pub(crate) const fn partial(name: &'static str, make: fn() -> Batch) -> Contender {
    Contender { role: Role::Partial, name, make }
}

/// State that lives as long as the process, as a program's own would.
pub(crate) fn leaked<T>(state: T) -> &'static T {
    Box::leak(Box::new(state))
}

/// Calls that all succeed.
pub(crate) fn blocking(call: impl Fn(u64) -> Outcome + Send + Sync + 'static) -> Batch {
    Box::new(move |calls| assert_eq!(failures(calls, &call), 0, "a call failed"))
}

/// Calls that all succeed, each batch going on where the one before it ended.
pub(crate) fn from_where_it_was(call: impl Fn(u64) -> Outcome + Send + Sync + 'static) -> Batch {
    let at = AtomicU64::new(0);
    Box::new(move |calls| {
        let start = at.fetch_add(calls, Ordering::Relaxed);
        assert_eq!(failures(calls, |order| call(start + order)), 0, "a call failed");
    })
}

/// Calls that are all refused.
pub(crate) fn refused(call: impl Fn(u64) -> Outcome + Send + Sync + 'static) -> Batch {
    Box::new(move |calls| assert_eq!(failures(calls, &call), calls, "a call was not refused"))
}

#[inline]
fn failures(calls: u64, call: impl Fn(u64) -> Outcome) -> u64 {
    let mut failures = 0;
    for order in 0..calls {
        let outcome = call(black_box(order));
        failures += u64::from(black_box(&outcome).is_err());
    }
    failures
}

/// Async calls that all succeed, polled by hand inside a runtime, so that neither its queues nor the system's wake-ups count.
pub(crate) fn polled<F: Future<Output = Outcome>>(call: impl Fn(u64) -> F + Send + Sync + 'static) -> Batch {
    Box::new(move |calls| {
        let _entered = RUNTIME.enter();
        let mut context = Context::from_waker(Waker::noop());
        for order in 0..calls {
            let outcome = until_ready(pin!(call(black_box(order))), &mut context);
            assert!(black_box(&outcome).is_ok(), "a call failed");
        }
    })
}

/// The same with a service, which belongs to one thread.
pub(crate) fn served<S>(service: S, own: fn(S::Error) -> PaymentError) -> Batch
where
    S: Service<u64, Response = u64> + Send + 'static,
{
    let service = Mutex::new(service);
    Box::new(move |calls| {
        let mut service = service.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(failures_of_service(calls, &mut *service, own), 0, "a call failed");
    })
}

/// The same with a service of which each thread has a clone; if it refuses, all calls but its very first.
pub(crate) fn served_by_clones<S>(service: S, own: fn(S::Error) -> PaymentError, refuses: bool) -> Batch
where
    S: Service<u64, Response = u64> + Clone + Send + 'static,
{
    let service = Mutex::new(service);
    Box::new(move |calls| {
        let mut service = service.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let failures = failures_of_service(calls, &mut service, own);
        assert!(if refuses { failures + 1 >= calls } else { failures == 0 }, "a call came out otherwise");
    })
}

#[inline]
fn failures_of_service<S: Service<u64, Response = u64>>(calls: u64, service: &mut S, own: fn(S::Error) -> PaymentError) -> u64 {
    let _entered = RUNTIME.enter();
    let mut context = Context::from_waker(Waker::noop());
    let mut failures = 0;
    for order in 0..calls {
        let outcome = until_ready(pin!(call(service, own, black_box(order))), &mut context);
        failures += u64::from(black_box(&outcome).is_err());
    }
    failures
}

async fn call<S: Service<u64, Response = u64>>(service: &mut S, own: fn(S::Error) -> PaymentError, order: u64) -> Outcome {
    service.ready().await.map_err(own)?.call(order).await.map_err(own)
}

#[inline]
fn until_ready<F: Future>(mut future: Pin<&mut F>, context: &mut Context<'_>) -> F::Output {
    loop {
        if let Poll::Ready(outcome) = future.as_mut().poll(context) {
            return outcome;
        }
    }
}

#[expect(clippy::expect_used, reason = "without a runtime there is nothing to measure")]
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime"));
