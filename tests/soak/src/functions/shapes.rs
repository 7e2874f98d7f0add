//! Functions whose shape is the point: what stands in for a failure, what becomes of arguments, what a body knows.

use super::{BENCH, Function, Run};
use crate::fault::Fault;
use crate::violations::check;
use crate::visit::{Answer, Visit};
use resilient::{Failure, Rejected, Verdict, resilient};
use std::fmt::Display;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

#[resilient(retries = 1, base_delay = "1ms", breaker = "stock", fallback = |failure| match failure {
    Failure::Error(fault) => Err(fault),
    Failure::Rejected(_) => Ok(instead),
})]
async fn replaced(visit: &Visit, instead: u32) -> Answer {
    visit.serve().await
}

#[resilient(fallback = last_known("1m"), breaker = "prices", timeout = "10ms")]
async fn last(visit: &Visit) -> Answer {
    visit.serve().await
}

#[resilient(fallback = last_known("50ms"), rate = "400/s", key = visit.stranger, max_keys = 100, max_wait = "0s")]
async fn last_by_key(visit: &Visit) -> Answer {
    visit.serve().await
}

#[resilient(breaker = "offers", deadline = "30ms", map_err = |rejected: Rejected| format!("refused: {rejected}"))]
async fn in_words(visit: &Visit) -> Result<u32, String> {
    visit.serve().await.map_err(|fault| fault.to_string())
}

#[resilient(retries = 2, base_delay = "1ms", clone(order), reuse(seen))]
async fn consumed(visit: &Visit, order: Vec<u32>, mut seen: u32) -> Answer {
    seen += 1;
    let sum: u32 = order.into_iter().sum();
    check(sum == 6, || format!("consumed: attempt {seen} got an order of {sum}"));
    let outcome = visit.serve().await;
    check(outcome.as_ref().is_ok_and(|attempt| *attempt == seen) || outcome.is_err(), || {
        "consumed: an attempt was lost".to_owned()
    });
    outcome
}

#[resilient(retries = 2, base_delay = "1ms", deadline = "50ms", context = cx)]
async fn knowing(visit: &Visit) -> Answer {
    check(cx.previous_error().is_some() == (cx.attempt() > 1), || format!("knowing: attempt {} and its error", cx.attempt()));
    check(cx.remaining() <= Some(Duration::from_millis(50)), || format!("knowing: {:?} left of 50ms", cx.remaining()));
    check(cx.idempotency_key().to_string().len() == 36, || "knowing: no key".to_owned());
    visit.serve().await
}

/// An `Ok` may be one to try again after.
#[resilient(retries = 2, base_delay = "1ms", classify = verdict)]
async fn pending<'v>(visit: &'v Visit) -> Result<(u32, &'v Visit), Fault> {
    Ok((visit.serve().await?, visit))
}

fn verdict(outcome: &Result<(u32, &Visit), Fault>) -> Verdict {
    match outcome {
        Ok((attempt, visit)) if visit.is_pending(*attempt) => Verdict::TRANSIENT,
        Ok(_) => Verdict::Success,
        Err(fault) => resilient::Classify::classify(fault),
    }
}

/// Nothing can fail where there are only waits.
#[resilient(concurrency = 20, max_wait = none, name = "benched", crate = "::resilient")]
async fn benched(visit: &Visit) -> Answer {
    visit.serve().await
}

struct Client {
    retries: u32,
    patience: Duration,
}

impl Client {
    #[resilient(
        retries = self.retries,
        base_delay = self.patience / 20,
        max_delay = self.patience,
        timeout = self.patience,
        deadline = self.patience * 3,
        name = "Client::ask",
    )]
    async fn ask(&self, visit: &Visit) -> Answer {
        visit.serve().await
    }
}

#[resilient(retries = 1, base_delay = "1ms", bucket = "shelf", key = what.to_string(), max_wait = "0s")]
fn generic<T: Display + Sync + ?Sized>(visit: &Visit, what: &T) -> Answer {
    visit.serve_blocking()
}

#[resilient(
    retries = 1,
    base_delay = "1ms",
    breaker(name = "alone", failure_threshold = 2, recovery_timeout = "20ms", max_recovery_timeout = "100ms")
)]
fn alone(visit: &Visit) -> Answer {
    visit.serve_blocking()
}

/// One caller at a time, so that what is told of the breaker is told in order.
pub(super) static LINE: Mutex<()> = Mutex::new(());

/// Nobody waits, so that a call inside a call does not wait for itself.
pub(crate) fn in_line<T>(work: impl FnOnce() -> T) -> Option<T> {
    let _line = match LINE.try_lock() {
        Ok(line) => line,
        Err(std::sync::TryLockError::Poisoned(line)) => PoisonError::into_inner(line),
        Err(std::sync::TryLockError::WouldBlock) => return None,
    };
    Some(work())
}

fn stand_in_line(visit: &Visit) -> Answer {
    in_line(|| alone(visit)).unwrap_or(Ok(0))
}

#[resilient(rate = "5000/s", max_wait = none)]
fn plain(visit: &Visit) -> u32 {
    visit.serve_blocking().unwrap_or(7)
}

macro_rules! named {
    ($name:literal, $run:expr) => {
        Function::new(concat!(module_path!(), "::", $name), $run)
    };
}

pub(super) static ASYNC: &[Function] = &[
    named!("replaced", Run::Async(|visit| Box::pin(replaced(visit, 7)))).attempts(2).breaker("stock").substitute(),
    named!("last", Run::Async(|visit| Box::pin(last(visit)))).breaker("prices").substitute(),
    named!("last_by_key", Run::Async(|visit| Box::pin(last_by_key(visit)))).substitute(),
    named!("in_words", Run::Async(|visit| Box::pin(async { in_words(visit).await.map_err(Fault::Told) }))).breaker("offers"),
    named!("consumed", Run::Async(|visit| Box::pin(consumed(visit, vec![1, 2, 3], 0)))).attempts(3),
    named!("knowing", Run::Async(|visit| Box::pin(knowing(visit)))).attempts(3),
    named!("pending", Run::Async(|visit| Box::pin(async { Ok(pending(visit).await?.0) }))).attempts(3),
    Function::new("benched", Run::Async(|visit| Box::pin(benched(visit)))).crowd(&BENCH).for_ever(),
    Function::new(
        "Client::ask",
        Run::Async(|visit| Box::pin(async { Client { retries: 2, patience: Duration::from_millis(12) }.ask(visit).await })),
    )
    .attempts(3),
];

pub(super) static SYNC: &[Function] = &[
    named!(
        "generic",
        Run::Sync(|visit| if visit.tenant % 2 == 0 { generic(visit, visit.host) } else { generic(visit, &visit.tenant) })
    )
    .attempts(2),
    named!("alone", Run::Sync(stand_in_line)).attempts(2).breaker("alone").substitute(),
    named!("plain", Run::Sync(|visit| Ok(plain(visit)))).substitute().for_ever(),
];
