//! The guarded body and its error, the same for everybody.

use resilient::{Classify, Rejected};
use std::cell::Cell;
use std::hint::black_box;
use std::task::Poll;
use std::time::Duration;

pub(crate) type Outcome = Result<u64, PaymentError>;

#[derive(Debug, Classify)]
pub(crate) enum PaymentError {
    #[permanent]
    Declined,
    #[transient]
    Unavailable,
    /// Ours.
    Rejected(Rejected),
    /// Everybody else's refusals, with the time to come back where they know it.
    #[ignored]
    CircuitOpen { retry_after: Option<Duration> },
    #[ignored]
    RateLimited { retry_after: Option<Duration> },
}

impl From<Rejected> for PaymentError {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

impl std::fmt::Display for PaymentError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Declined => formatter.write_str("declined"),
            Self::Unavailable => formatter.write_str("unavailable"),
            Self::Rejected(rejected) => rejected.fmt(formatter),
            Self::CircuitOpen { retry_after } => write!(formatter, "the circuit is open; try again in {retry_after:?}"),
            Self::RateLimited { retry_after } => write!(formatter, "no token; try again in {retry_after:?}"),
        }
    }
}

impl std::error::Error for PaymentError {}

impl PaymentError {
    /// What is tried again, and what a breaker counts.
    #[inline]
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable)
    }
}

impl From<failsafe::Error<PaymentError>> for PaymentError {
    #[inline]
    fn from(error: failsafe::Error<PaymentError>) -> Self {
        match error {
            failsafe::Error::Inner(error) => error,
            failsafe::Error::Rejected => Self::CircuitOpen { retry_after: None },
        }
    }
}

impl From<recloser::Error<PaymentError>> for PaymentError {
    #[inline]
    fn from(error: recloser::Error<PaymentError>) -> Self {
        match error {
            recloser::Error::Inner(error) => error,
            recloser::Error::Rejected => Self::CircuitOpen { retry_after: None },
        }
    }
}

/// Declines one order, which nobody places.
#[inline]
pub(crate) fn pay(order: u64) -> Outcome {
    if black_box(order) == u64::MAX { Err(PaymentError::Declined) } else { Ok(order) }
}

/// Fails at every first attempt of two.
#[inline]
pub(crate) fn pay_at_second_try(order: u64, attempts: &Cell<u32>) -> Outcome {
    attempts.set(attempts.get() + 1);
    if black_box(attempts.get()) % 2 == 1 { Err(PaymentError::Unavailable) } else { Ok(order) }
}

/// As [`pay`], after it was pending once.
#[inline]
pub(crate) async fn pay_pending_once(order: u64) -> Outcome {
    let mut is_first = true;
    std::future::poll_fn(|_| if std::mem::take(&mut is_first) { Poll::Pending } else { Poll::Ready(()) }).await;
    pay(order)
}
