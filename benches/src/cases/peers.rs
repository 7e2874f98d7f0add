//! Our peers' parts, set up for the same work as ours.

use crate::configured::{BURST, PER_SECOND, RATIO, RECOVERY, THRESHOLD, WINDOW};
use crate::contender::leaked;
use crate::limit::RETRIES;
use crate::payment::PaymentError;
use backon::ExponentialBuilder;
use failsafe::StateMachine;
use failsafe::backoff::{Constant, constant};
use failsafe::failure_policy::{
    ConsecutiveFailures, SuccessRateOverTimeWindow, consecutive_failures, success_rate_over_time_window,
};
use governor::{DefaultDirectRateLimiter, Quota};
use leaky_bucket::RateLimiter;
use recloser::Recloser;
use std::num::NonZeroU32;
use std::time::Duration;

pub(super) type Failsafe = StateMachine<ConsecutiveFailures<Constant>, ()>;
pub(super) type FailsafeRatio = StateMachine<SuccessRateOverTimeWindow<Constant>, ()>;

pub(super) fn failsafe() -> &'static Failsafe {
    leaked(failsafe::Config::new().failure_policy(consecutive_failures(THRESHOLD, constant(RECOVERY))).build())
}

/// It has no count windows, only windows of time.
pub(super) fn failsafe_ratio() -> &'static FailsafeRatio {
    let policy = success_rate_over_time_window(1.0 - f64::from(RATIO), WINDOW, Duration::from_secs(10), constant(RECOVERY));
    leaked(failsafe::Config::new().failure_policy(policy).build())
}

pub(super) fn recloser() -> &'static Recloser {
    recloser_of(RATIO)
}

pub(super) fn recloser_of(ratio: f32) -> &'static Recloser {
    leaked(Recloser::custom().error_rate(ratio).closed_len(WINDOW as usize).open_wait(RECOVERY).build())
}

pub(super) fn governor() -> &'static DefaultDirectRateLimiter {
    leaked(DefaultDirectRateLimiter::direct(Quota::per_second(some(PER_SECOND)).allow_burst(some(BURST))))
}

pub(super) fn governor_drained() -> &'static DefaultDirectRateLimiter {
    let drained = leaked(DefaultDirectRateLimiter::direct(Quota::per_hour(some(1))));
    assert!(drained.check().is_ok(), "a new bucket is full");
    drained
}

pub(super) fn leaky_bucket(tokens: usize) -> &'static RateLimiter {
    let per_milli = PER_SECOND as usize / 1_000;
    leaked(RateLimiter::builder().initial(tokens).max(BURST as usize).refill(per_milli).interval(Duration::from_millis(1)).build())
}

pub(super) fn leaky_bucket_drained() -> &'static RateLimiter {
    leaked(RateLimiter::builder().initial(0).max(1).refill(1).interval(Duration::from_secs(86_400)).build())
}

pub(super) fn backon() -> ExponentialBuilder {
    ExponentialBuilder::default().with_jitter().with_max_times(RETRIES as usize)
}

pub(super) fn some(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

/// What a breaker counts as a failure, for `call_with`.
#[inline]
pub(super) fn is_transient(error: &PaymentError) -> bool {
    error.is_transient()
}
