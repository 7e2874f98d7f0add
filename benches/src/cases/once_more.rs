//! Breaker, bucket and retries together: one failure, no wait, one success.

use super::bucket::check;
use super::peers;
use crate::contender::{Batch, Case, bare, blocking, limit, ours, peer};
use crate::limit::{self, RETRIES};
use crate::payment::{Outcome, pay_at_second_try};
use backon::{BlockingRetryable as _, ConstantBuilder};
use failsafe::CircuitBreaker as _;
use governor::DefaultDirectRateLimiter;
use recloser::Recloser;
use resilient::resilient;
use std::cell::Cell;
use std::time::Duration;

#[inline(never)]
fn unguarded(order: u64, attempts: &Cell<u32>) -> Outcome {
    pay_at_second_try(order, attempts).or_else(|_| pay_at_second_try(order, attempts))
}

/// The shortest wait there is. Without a budget, which would soon stop calls that all need a retry.
#[inline(never)]
#[resilient(retries = 3, base_delay = "1ns", budget = none, breaker = "payments", bucket = "stripe")]
fn annotated(order: u64, attempts: &Cell<u32>) -> Outcome {
    pay_at_second_try(order, attempts)
}

static BREAKER: limit::Consecutive = limit::Consecutive::new();
static BUCKET: limit::Bucket = limit::Bucket::new();

#[inline(never)]
fn by_hand(order: u64, attempts: &Cell<u32>) -> Outcome {
    let mut retry = 0;
    loop {
        BREAKER.admit()?;
        BUCKET.take()?;
        match pay_at_second_try(order, attempts) {
            Err(error) if error.is_transient() => {
                BREAKER.failed();
                if retry == RETRIES {
                    return Err(error);
                }
            }
            outcome => {
                BREAKER.succeeded();
                return outcome;
            }
        }
        retry += 1;
    }
}

#[inline(never)]
fn failsafe(
    (breaker, limiter): (&peers::Failsafe, &DefaultDirectRateLimiter),
    strategy: ConstantBuilder,
    order: u64,
    attempts: &Cell<u32>,
) -> Outcome {
    let attempt = || {
        check(limiter)?;
        pay_at_second_try(order, attempts)
    };
    (|| Ok(breaker.call_with(peers::is_transient, attempt)?)).retry(strategy).when(peers::is_transient).call()
}

#[inline(never)]
fn recloser(
    (breaker, limiter): (&Recloser, &DefaultDirectRateLimiter),
    strategy: ConstantBuilder,
    order: u64,
    attempts: &Cell<u32>,
) -> Outcome {
    let attempt = || {
        check(limiter)?;
        pay_at_second_try(order, attempts)
    };
    (|| Ok(breaker.call_with(peers::is_transient, attempt)?)).retry(strategy).when(peers::is_transient).call()
}

/// Without jitter, and so without a wait.
fn at_once() -> ConstantBuilder {
    ConstantBuilder::new().with_delay(Duration::ZERO).with_max_times(RETRIES as usize)
}

fn make_failsafe() -> Batch {
    let (parts, strategy) = ((peers::failsafe(), peers::governor()), at_once());
    blocking(move |order| failsafe(parts, strategy, order, &Cell::new(0)))
}

/// With a threshold that one failure of two calls does not reach.
fn make_recloser() -> Batch {
    let (parts, strategy) = ((peers::recloser_of(0.9), peers::governor()), at_once());
    blocking(move |order| recloser(parts, strategy, order, &Cell::new(0)))
}

pub(super) fn case() -> Case {
    let contenders = vec![
        bare(|| blocking(|order| unguarded(order, &Cell::new(0)))),
        limit(|| blocking(|order| by_hand(order, &Cell::new(0)))),
        ours(|| blocking(|order| annotated(order, &Cell::new(0)))),
        peer("failsafe + governor + backon", make_failsafe),
        peer("recloser + governor + backon", make_recloser),
    ];
    Case { name: "breaker + bucket + retry, one retry", threads: 1, keys: 0, contenders }
}
