//! Somebody else's client of a payment service, which uses `resilient` as well.

use resilient::resilient;
use std::io;

/// Takes the money for an order.
///
/// # Errors
///
/// What the service answers, or that a policy refused.
#[resilient(retries = 2, deadline = "8s", breaker(name = "stripe", failure_threshold = 10), bucket = "stripe", rate = "100/s")]
pub fn charge(order: u32) -> io::Result<u32> {
    Ok(order)
}

/// Gives it back.
///
/// # Errors
///
/// What the service answers, or that a policy refused.
#[resilient(breaker = "stripe", bucket = "stripe")]
pub fn refund(order: u32) -> io::Result<u32> {
    Ok(order)
}

/// What the service still owes us, asked for once a night.
pub mod settlement {
    use super::{io, resilient};

    /// The sum in cents.
    ///
    /// # Errors
    ///
    /// What the service answers.
    #[resilient(retries = 10, base_delay = "1s", max_delay = "1m", backoff = decorrelated)]
    pub fn sum() -> io::Result<u64> {
        Ok(0)
    }
}
