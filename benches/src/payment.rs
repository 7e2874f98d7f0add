//! The guarded body and its error, the same for everybody.

use resilient::{Classify, Rejected};
use std::cell::Cell;
use std::hint::black_box;
use std::task::Poll;
use std::time::Duration;

pub type Outcome = Result<u64, PaymentError>;

#[derive(Debug, Classify)]
pub enum PaymentError {
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
        write!(formatter, "{self:?}")
    }
}

impl std::error::Error for PaymentError {}

impl PaymentError {
    /// What is tried again, and what a breaker counts.
    #[must_use]
    #[inline]
    pub fn is_transient(&self) -> bool {
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

/// # Errors
///
/// One order is declined, which nobody places.
#[inline]
pub fn pay(order: u64) -> Outcome {
    if black_box(order) == u64::MAX { Err(PaymentError::Declined) } else { Ok(order) }
}

/// # Errors
///
/// Every first attempt of two.
#[inline]
pub fn pay_at_second_try(order: u64, attempts: &Cell<u32>) -> Outcome {
    attempts.set(attempts.get() + 1);
    if black_box(attempts.get()) % 2 == 1 { Err(PaymentError::Unavailable) } else { Ok(order) }
}

/// # Errors
///
/// As [`pay`]'s.
#[inline]
pub async fn pay_pending_once(order: u64) -> Outcome {
    let mut is_first = true;
    std::future::poll_fn(|_| if std::mem::take(&mut is_first) { Poll::Pending } else { Poll::Ready(()) }).await;
    pay(order)
}
