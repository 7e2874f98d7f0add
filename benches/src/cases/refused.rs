//! Calls that are refused: the error is built and dropped, the body does not run.

use super::bucket::{governor, leaky_bucket};
use super::{peers, services};
use crate::configured::{THRESHOLD, WINDOW};
use crate::contender::{Batch, Case, limit, ours, peer, refused};
use crate::limit;
use crate::payment::{Outcome, PaymentError, pay};
use failsafe::CircuitBreaker as _;
use recloser::Recloser;
use resilient::resilient;

/// Declined by nobody, but the service is down.
const DOWN: u64 = u64::MAX - 1;

#[inline]
fn broken(order: u64) -> Outcome {
    if order == DOWN { Err(PaymentError::Unavailable) } else { pay(order) }
}

#[inline(never)]
#[resilient(breaker = "broken")]
fn open(order: u64) -> Outcome {
    broken(order)
}

#[inline(never)]
#[resilient(bucket = "drained", max_wait = "0s")]
fn empty(order: u64) -> Outcome {
    pay(order)
}

static OPEN: limit::Consecutive = limit::Consecutive::new();

#[inline(never)]
fn open_by_hand(order: u64) -> Outcome {
    OPEN.admit()?;
    let outcome = broken(order);
    match &outcome {
        Err(error) if error.is_transient() => OPEN.failed(),
        _ => OPEN.succeeded(),
    }
    outcome
}

#[inline(never)]
fn empty_by_hand(bucket: &limit::Bucket, order: u64) -> Outcome {
    bucket.take()?;
    pay(order)
}

#[inline(never)]
fn failsafe(breaker: &peers::Failsafe, order: u64) -> Outcome {
    Ok(breaker.call_with(peers::is_transient, || broken(order))?)
}

#[inline(never)]
fn recloser(breaker: &Recloser, order: u64) -> Outcome {
    Ok(breaker.call_with(peers::is_transient, || broken(order))?)
}

/// So many failures, and the circuit is open.
fn opened(failures: u32, call: impl Fn(u64) -> Outcome + Send + Sync + 'static) -> Batch {
    for _ in 0..failures {
        assert!(call(DOWN).is_err(), "the service is down");
    }
    refused(call)
}

fn make_empty() -> Batch {
    let _taken = empty(0);
    refused(empty)
}

fn make_empty_by_hand() -> Batch {
    let bucket = crate::contender::leaked(limit::Bucket::drained());
    refused(move |order| empty_by_hand(bucket, order))
}

fn make_failsafe() -> Batch {
    let breaker = peers::failsafe();
    opened(THRESHOLD, move |order| failsafe(breaker, order))
}

fn make_recloser() -> Batch {
    let breaker = peers::recloser();
    opened(2 * WINDOW, move |order| recloser(breaker, order))
}

fn make_governor() -> Batch {
    let limiter = peers::governor_drained();
    refused(move |order| governor(limiter, order))
}

fn make_leaky_bucket() -> Batch {
    let limiter = peers::leaky_bucket_drained();
    refused(move |order| leaky_bucket(limiter, order))
}

pub(super) fn cases() -> [Case; 2] {
    let open = vec![
        limit(|| opened(THRESHOLD, open_by_hand)),
        ours(|| opened(THRESHOLD, open)),
        peer("failsafe", make_failsafe),
        peer("recloser", make_recloser),
        peer("tower-resilience, async", services::tower_resilience_open),
    ];
    let empty = vec![
        limit(make_empty_by_hand),
        ours(make_empty),
        peer("governor", make_governor),
        peer("leaky-bucket, no time told", make_leaky_bucket),
        peer("tower-resilience, async", services::tower_resilience_empty),
    ];
    [
        Case { name: "open circuit, refused", threads: 1, keys: 0, contenders: open },
        Case { name: "empty bucket, refused", threads: 1, keys: 0, contenders: empty },
    ]
}
