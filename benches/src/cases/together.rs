//! Breaker, bucket and retries together, all well.

use super::breaker::unguarded;
use super::bucket::check;
use super::{peers, services};
use crate::contender::{Batch, Case, bare, blocking, limit, ours, peer};
use crate::limit::{self, RETRIES, backoff};
use crate::payment::{Outcome, pay};
use backon::{BlockingRetryable as _, ExponentialBuilder};
use failsafe::CircuitBreaker as _;
use governor::DefaultDirectRateLimiter;
use recloser::Recloser;
use resilient::resilient;
use std::thread::sleep;

#[inline(never)]
#[resilient(retries = 3, breaker = "payments", bucket = "stripe")]
fn annotated(order: u64) -> Outcome {
    pay(order)
}

static BREAKER: limit::Consecutive = limit::Consecutive::new();
static BUCKET: limit::Bucket = limit::Bucket::new();

#[inline(never)]
fn by_hand(order: u64) -> Outcome {
    let mut retry = 0;
    loop {
        BREAKER.admit()?;
        BUCKET.take()?;
        match pay(order) {
            Err(error) if error.is_transient() => {
                BREAKER.failed();
                if retry == RETRIES {
                    return Err(error);
                }
                sleep(backoff(retry));
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
fn failsafe(breaker: &peers::Failsafe, limiter: &DefaultDirectRateLimiter, strategy: ExponentialBuilder, order: u64) -> Outcome {
    let attempt = || {
        check(limiter)?;
        pay(order)
    };
    (|| Ok(breaker.call_with(peers::is_transient, attempt)?)).retry(strategy).when(peers::is_transient).call()
}

#[inline(never)]
fn recloser(breaker: &Recloser, limiter: &DefaultDirectRateLimiter, strategy: ExponentialBuilder, order: u64) -> Outcome {
    let attempt = || {
        check(limiter)?;
        pay(order)
    };
    (|| Ok(breaker.call_with(peers::is_transient, attempt)?)).retry(strategy).when(peers::is_transient).call()
}

fn make_failsafe() -> Batch {
    let (breaker, limiter, strategy) = (peers::failsafe(), peers::governor(), peers::backon());
    blocking(move |order| failsafe(breaker, limiter, strategy, order))
}

fn make_recloser() -> Batch {
    let (breaker, limiter, strategy) = (peers::recloser(), peers::governor(), peers::backon());
    blocking(move |order| recloser(breaker, limiter, strategy, order))
}

fn contenders() -> Vec<crate::contender::Contender> {
    vec![
        bare(|| blocking(unguarded)),
        limit(|| blocking(by_hand)),
        ours(|| blocking(annotated)),
        peer("failsafe + governor + backon", make_failsafe),
        peer("recloser + governor + backon", make_recloser),
        peer("tower-resilience, async", services::tower_resilience_untimed),
    ]
}

pub(super) fn cases() -> [Case; 2] {
    [
        Case { name: "breaker + bucket + retry, sync", threads: 1, keys: 0, contenders: contenders() },
        Case { name: "breaker + bucket + retry, sync, two threads", threads: 2, keys: 0, contenders: contenders() },
    ]
}
