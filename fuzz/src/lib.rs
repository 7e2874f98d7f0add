//! Functions for a configuration to be about, each with other policies.

use resilient::resilient;
use resilient::testing::{TurnedClock, without_waits};
use std::io;

/// Everything of its own.
#[resilient(name = "shop::charge", retries = 3, deadline = "10s", rate = "30/min", burst = 5, concurrency = 4)]
pub fn charge() -> io::Result<()> {
    Ok(())
}

/// Everything shared, with settings beside it.
#[resilient(
    name = "shop::refund",
    retries = 2,
    budget = "partner",
    breaker(name = "payments", failure_threshold = 3, recovery_timeout = "2s"),
    bucket = "stripe",
    rate = "1/day",
    bulkhead = "db",
    max_wait = none
)]
pub fn refund() -> io::Result<()> {
    Ok(())
}

/// Shared without settings, and expressions.
#[resilient(name = "shop::größe", retries = limit, backoff = decorrelated, breaker = "stock")]
pub fn size(limit: u32) -> io::Result<()> {
    Ok(())
}

/// So that all of them have a plan, which each configuration makes anew; and afterwards each runs under it. Nothing is waited for, or
/// one input after the other would owe a day to the same bucket.
pub fn call() {
    let (_clock, _waits) = (TurnedClock::start(), without_waits());
    let _ = (charge(), refund(), size(1));
}
