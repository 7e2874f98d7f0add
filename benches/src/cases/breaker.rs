//! A breaker alone, healthy.

use super::{peers, services};
use crate::configured::WINDOW;
use crate::contender::{Batch, Case, bare, blocking, limit, ours, peer};
use crate::limit;
use crate::payment::{Outcome, pay};
use failsafe::CircuitBreaker as _;
use recloser::Recloser;
use resilient::resilient;

#[inline(never)]
pub(super) fn unguarded(order: u64) -> Outcome {
    pay(order)
}

#[inline(never)]
#[resilient(breaker = "payments")]
fn consecutive(order: u64) -> Outcome {
    pay(order)
}

#[inline(never)]
#[resilient(breaker = "refunds")]
fn ratio(order: u64) -> Outcome {
    pay(order)
}

static CONSECUTIVE: limit::Consecutive = limit::Consecutive::new();

#[inline(never)]
fn consecutive_by_hand(order: u64) -> Outcome {
    CONSECUTIVE.admit()?;
    let outcome = pay(order);
    match &outcome {
        Err(error) if error.is_transient() => CONSECUTIVE.failed(),
        _ => CONSECUTIVE.succeeded(),
    }
    outcome
}

static RATIO: limit::Ratio = limit::Ratio::new();

#[inline(never)]
fn ratio_by_hand(order: u64) -> Outcome {
    RATIO.admit()?;
    let outcome = pay(order);
    match &outcome {
        Err(error) if error.is_transient() => RATIO.failed(),
        _ => RATIO.succeeded(),
    }
    outcome
}

#[inline(never)]
fn failsafe(breaker: &peers::Failsafe, order: u64) -> Outcome {
    Ok(breaker.call_with(peers::is_transient, || pay(order))?)
}

#[inline(never)]
fn failsafe_ratio(breaker: &peers::FailsafeRatio, order: u64) -> Outcome {
    Ok(breaker.call_with(peers::is_transient, || pay(order))?)
}

#[inline(never)]
fn recloser(breaker: &Recloser, order: u64) -> Outcome {
    Ok(breaker.call_with(peers::is_transient, || pay(order))?)
}

/// The window is full of successes when the calls begin.
fn filled(batch: Batch) -> Batch {
    batch(u64::from(WINDOW));
    batch
}

fn make_failsafe() -> Batch {
    let breaker = peers::failsafe();
    blocking(move |order| failsafe(breaker, order))
}

fn make_failsafe_ratio() -> Batch {
    let breaker = peers::failsafe_ratio();
    filled(blocking(move |order| failsafe_ratio(breaker, order)))
}

fn make_recloser() -> Batch {
    let breaker = peers::recloser();
    filled(blocking(move |order| recloser(breaker, order)))
}

fn consecutive_case(name: &'static str, threads: usize) -> Case {
    let contenders = vec![
        bare(|| blocking(unguarded)),
        limit(|| blocking(consecutive_by_hand)),
        ours(|| blocking(consecutive)),
        peer("failsafe", make_failsafe),
        peer("tower-resilience, async", services::tower_resilience_consecutive),
    ];
    Case { name, threads, keys: 0, contenders }
}

fn ratio_case(name: &'static str, threads: usize) -> Case {
    let contenders = vec![
        bare(|| blocking(unguarded)),
        limit(|| filled(blocking(ratio_by_hand))),
        ours(|| filled(blocking(ratio))),
        peer("recloser", make_recloser),
        peer("failsafe, window of time", make_failsafe_ratio),
        peer("tower-resilience, async", services::tower_resilience_ratio),
    ];
    Case { name, threads, keys: 0, contenders }
}

pub(super) fn cases() -> [Case; 4] {
    [
        consecutive_case("breaker, consecutive", 1),
        consecutive_case("breaker, consecutive, two threads", 2),
        ratio_case("breaker, ratio over 100", 1),
        ratio_case("breaker, ratio over 100, two threads", 2),
    ]
}
