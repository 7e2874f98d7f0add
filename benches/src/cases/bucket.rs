//! A bucket alone, never empty.

use super::breaker::unguarded;
use super::{peers, services};
use crate::configured::BURST;
use crate::contender::{Batch, Case, bare, blocking, limit, ours, peer};
use crate::limit;
use crate::payment::{Outcome, PaymentError, pay};
use governor::DefaultDirectRateLimiter;
use governor::clock::Clock as _;
use leaky_bucket::RateLimiter;
use resilient::resilient;

#[inline(never)]
#[resilient(bucket = "stripe")]
fn annotated(order: u64) -> Outcome {
    pay(order)
}

static BUCKET: limit::Bucket = limit::Bucket::new();

#[inline(never)]
fn by_hand(order: u64) -> Outcome {
    BUCKET.take()?;
    pay(order)
}

/// A refusal with the time to come back.
#[inline]
pub(super) fn check(limiter: &DefaultDirectRateLimiter) -> Result<(), PaymentError> {
    limiter.check().map_err(|not_until| {
        let retry_after = Some(not_until.wait_time_from(limiter.clock().now()));
        PaymentError::RateLimited { retry_after }
    })
}

#[inline(never)]
pub(super) fn governor(limiter: &DefaultDirectRateLimiter, order: u64) -> Outcome {
    check(limiter)?;
    pay(order)
}

#[inline(never)]
pub(super) fn leaky_bucket(limiter: &RateLimiter, order: u64) -> Outcome {
    if limiter.try_acquire(1) { pay(order) } else { Err(PaymentError::RateLimited { retry_after: None }) }
}

fn make_governor() -> Batch {
    let limiter = peers::governor();
    blocking(move |order| governor(limiter, order))
}

fn make_leaky_bucket() -> Batch {
    let limiter = peers::leaky_bucket(BURST as usize);
    blocking(move |order| leaky_bucket(limiter, order))
}

pub(super) fn case() -> Case {
    let contenders = vec![
        bare(|| blocking(unguarded)),
        limit(|| blocking(by_hand)),
        ours(|| blocking(annotated)),
        peer("governor", make_governor),
        peer("leaky-bucket", make_leaky_bucket),
        peer("tower-resilience, async", services::tower_resilience_bucket),
    ];
    Case { name: "bucket", threads: 1, keys: 0, contenders }
}
