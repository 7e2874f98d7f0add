//! Stacks of services: tower's and tower-resilience's.

use super::peers;
use super::timed::body;
use crate::configured::{BURST, PER_SECOND, RECOVERY, THRESHOLD};
use crate::contender::{Batch, served};
use crate::limit::{RETRIES, TIMEOUT};
use crate::payment::PaymentError;
use std::time::Duration;
use tower::retry::Policy;
use tower::retry::backoff::{Backoff as _, ExponentialBackoff, ExponentialBackoffMaker, MakeBackoff as _};
use tower::{BoxError, ServiceBuilder, service_fn};
use tower_resilience::circuitbreaker::{CircuitBreakerError, CircuitBreakerLayer};
use tower_resilience::ratelimiter::{RateLimiterLayer, RateLimiterServiceError};
use tower_resilience::retry::RetryLayer;
use tower_resilience::timelimiter::{TimeLimiterError, TimeLimiterLayer};

/// Tower leaves it to its users to say what is tried again.
#[derive(Clone)]
struct Attempts {
    left: u32,
    backoff: ExponentialBackoff,
}

impl Policy<u64, u64, BoxError> for Attempts {
    type Future = tokio::time::Sleep;

    #[inline]
    fn retry(&mut self, _: &mut u64, result: &mut Result<u64, BoxError>) -> Option<Self::Future> {
        let error = result.as_ref().err()?;
        let is_transient = error.downcast_ref().is_none_or(PaymentError::is_transient);
        self.left = self.left.checked_sub(1).filter(|_| is_transient)?;
        Some(self.backoff.next_backoff())
    }

    #[inline]
    fn clone_request(&mut self, order: &u64) -> Option<u64> {
        Some(*order)
    }
}

fn own(error: BoxError) -> PaymentError {
    error.downcast().map_or(PaymentError::Unavailable, |error| *error)
}

/// Its rate limit is outside the retries, since it cannot be cloned.
#[expect(clippy::expect_used, reason = "a mistake in a constant")]
pub(super) fn tower<const PENDS: bool>() -> Batch {
    let (shortest, longest) = (Duration::from_millis(100), Duration::from_secs(10));
    let backoff = ExponentialBackoffMaker::new(shortest, longest, 1.0, tower::util::rng::HasherRng::default());
    let backoff = backoff.expect("valid delays").make_backoff();
    let stack = ServiceBuilder::new()
        .rate_limit(u64::MAX, Duration::from_secs(1))
        .retry(Attempts { left: RETRIES, backoff })
        .timeout(TIMEOUT);
    served(stack.service(service_fn(body::<PENDS>)), own)
}

type Timed = TimeLimiterError<PaymentError>;
type Limited = RateLimiterServiceError<Timed>;
type Broken = CircuitBreakerError<Limited>;

fn flat(error: Broken) -> PaymentError {
    match error {
        CircuitBreakerError::OpenCircuit => PaymentError::CircuitOpen { retry_after: None },
        CircuitBreakerError::Inner(error) => flat_limited(error),
    }
}

fn flat_limited(error: Limited) -> PaymentError {
    match error {
        RateLimiterServiceError::RateLimited => PaymentError::RateLimited { retry_after: None },
        RateLimiterServiceError::Inner(TimeLimiterError::Timeout) => PaymentError::Unavailable,
        RateLimiterServiceError::Inner(TimeLimiterError::Inner(error)) => error,
    }
}

fn is_failure(result: &Result<u64, Limited>) -> bool {
    matches!(result, Err(RateLimiterServiceError::Inner(error)) if is_transient(error))
}

fn is_transient(error: &Timed) -> bool {
    match error {
        TimeLimiterError::Timeout => true,
        TimeLimiterError::Inner(error) => peers::is_transient(error),
    }
}

fn is_worth_a_retry(error: &Broken) -> bool {
    matches!(error, CircuitBreakerError::Inner(RateLimiterServiceError::Inner(error)) if is_transient(error))
}

#[expect(clippy::expect_used, reason = "a mistake in a constant")]
pub(super) fn tower_resilience<const PENDS: bool>() -> Batch {
    let retry = RetryLayer::<u64, u64, Broken>::builder()
        .max_attempts(RETRIES as usize + 1)
        .exponential_backoff(Duration::from_millis(100))
        .retry_on(is_worth_a_retry);
    let breaker = CircuitBreakerLayer::builder()
        .consecutive_failures(THRESHOLD as usize)
        .wait_duration_in_open(RECOVERY)
        .failure_classifier(is_failure);
    let limiter = RateLimiterLayer::burst(PER_SECOND as usize, BURST as usize).timeout_duration(Duration::ZERO);
    let limit = TimeLimiterLayer::builder().timeout_duration(TIMEOUT);
    let stack = ServiceBuilder::new()
        .layer(retry.build())
        .layer(breaker.build().expect("a valid breaker"))
        .layer(limiter.build().expect("a valid limiter"))
        .layer(limit.build());
    served(stack.service(service_fn(body::<PENDS>)), flat)
}
