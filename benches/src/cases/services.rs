//! Stacks of services: tower's and tower-resilience's.

use super::peers;
use super::timed::body;
use crate::configured::{BURST, PER_SECOND, RATIO, RECOVERY, THRESHOLD, WINDOW};
use crate::contender::{Batch, leaked, served, served_by_clones};
use crate::limit::{RETRIES, TIMEOUT};
use crate::payment::{Outcome, PaymentError, pay};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tower::retry::Policy;
use tower::retry::backoff::{Backoff as _, ExponentialBackoff, ExponentialBackoffMaker, MakeBackoff as _};
use tower::{BoxError, Layer as _, ServiceBuilder, service_fn};
use tower_resilience::circuitbreaker::{CircuitBreakerConfigBuilder, CircuitBreakerError, CircuitBreakerLayer, FnClassifier};
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

type Broken<E> = CircuitBreakerError<E>;
type Limited<E> = RateLimiterServiceError<E>;
type Timed = TimeLimiterError<PaymentError>;

/// An error of a stack, down to the body's.
trait Flat {
    fn flat(self) -> PaymentError;
    fn is_transient(&self) -> bool;
}

impl Flat for PaymentError {
    fn flat(self) -> PaymentError {
        self
    }

    fn is_transient(&self) -> bool {
        peers::is_transient(self)
    }
}

impl<E: Flat> Flat for Broken<E> {
    fn flat(self) -> PaymentError {
        match self {
            Self::OpenCircuit => PaymentError::CircuitOpen { retry_after: None },
            Self::Inner(error) => error.flat(),
        }
    }

    fn is_transient(&self) -> bool {
        matches!(self, Self::Inner(error) if error.is_transient())
    }
}

impl<E: Flat> Flat for Limited<E> {
    fn flat(self) -> PaymentError {
        match self {
            Self::RateLimited => PaymentError::RateLimited { retry_after: None },
            Self::Inner(error) => error.flat(),
        }
    }

    fn is_transient(&self) -> bool {
        matches!(self, Self::Inner(error) if error.is_transient())
    }
}

impl Flat for Timed {
    fn flat(self) -> PaymentError {
        self.into_inner().unwrap_or(PaymentError::Unavailable)
    }

    fn is_transient(&self) -> bool {
        match self {
            Self::Timeout => true,
            Self::Inner(error) => peers::is_transient(error),
        }
    }
}

type Classifier<E> = FnClassifier<fn(&Result<u64, E>) -> bool>;

fn has_failed<E: Flat>(result: &Result<u64, E>) -> bool {
    matches!(result, Err(error) if error.is_transient())
}

fn breaker() -> CircuitBreakerConfigBuilder {
    CircuitBreakerLayer::builder().wait_duration_in_open(RECOVERY)
}

fn consecutive<E: Flat + 'static>(failures: u32) -> CircuitBreakerLayer<Classifier<E>> {
    let breaker = breaker().consecutive_failures(failures as usize);
    built(breaker.failure_classifier(has_failed::<E> as fn(&Result<u64, E>) -> bool).build())
}

fn limiter() -> RateLimiterLayer {
    built(RateLimiterLayer::burst(PER_SECOND as usize, BURST as usize).timeout_duration(Duration::ZERO).build())
}

fn retry<E: Flat + 'static>() -> RetryLayer<u64, u64, E> {
    let attempts = RETRIES as usize + 1;
    RetryLayer::builder().max_attempts(attempts).exponential_backoff(Duration::from_millis(100)).retry_on(E::is_transient).build()
}

#[expect(clippy::panic, reason = "a constant is out of range")]
fn built<T, E: std::fmt::Debug>(layer: Result<T, E>) -> T {
    layer.unwrap_or_else(|error| panic!("{error:?}"))
}

pub(super) fn tower_resilience<const PENDS: bool>() -> Batch {
    let stack = ServiceBuilder::new()
        .layer(retry::<Broken<Limited<Timed>>>())
        .layer(consecutive::<Limited<Timed>>(THRESHOLD))
        .layer(limiter())
        .layer(TimeLimiterLayer::builder().timeout_duration(TIMEOUT).build());
    served_by_clones(stack.service(service_fn(body::<PENDS>)), Flat::flat, false)
}

pub(super) fn tower_resilience_untimed() -> Batch {
    let stack = ServiceBuilder::new()
        .layer(retry::<Broken<Limited<PaymentError>>>())
        .layer(consecutive::<Limited<PaymentError>>(THRESHOLD))
        .layer(limiter());
    served_by_clones(stack.service(service_fn(body::<false>)), Flat::flat, false)
}

pub(super) fn tower_resilience_consecutive() -> Batch {
    let service = consecutive::<PaymentError>(THRESHOLD).layer(service_fn(body::<false>));
    served_by_clones(service, Flat::flat, false)
}

pub(super) fn tower_resilience_ratio() -> Batch {
    let breaker = breaker().failure_rate_threshold(f64::from(RATIO)).sliding_window_size(WINDOW as usize);
    let classifier = has_failed::<PaymentError> as fn(&Outcome) -> bool;
    let layer = built(breaker.failure_classifier(classifier).build());
    served_by_clones(layer.layer(service_fn(body::<false>)), Flat::flat, false)
}

pub(super) fn tower_resilience_bucket() -> Batch {
    served_by_clones(limiter().layer(service_fn(body::<false>)), Flat::flat, false)
}

/// Its first call fails, which opens the circuit.
pub(super) fn tower_resilience_open() -> Batch {
    let is_first = leaked(AtomicBool::new(true));
    let body = move |order| {
        std::future::ready(if is_first.swap(false, Ordering::Relaxed) { Err(PaymentError::Unavailable) } else { pay(order) })
    };
    served_by_clones(consecutive::<PaymentError>(1).layer(service_fn(body)), Flat::flat, true)
}

/// Its first call takes the only token of a day.
pub(super) fn tower_resilience_empty() -> Batch {
    let day = Duration::from_secs(86_400);
    let limiter = RateLimiterLayer::builder().limit_for_period(1).refresh_period(day).timeout_duration(Duration::ZERO);
    served_by_clones(built(limiter.build()).layer(service_fn(body::<false>)), Flat::flat, true)
}
