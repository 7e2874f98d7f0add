//! The configuration of a program: what the attributes name, set by name at its start.

use resilient::{CircuitBreaker, ConfigError, Rate, Window};
use std::time::Duration;

/// Calls per second of every bucket that never gets empty, and how many of them at once.
pub(crate) const PER_SECOND: u32 = 1_000_000;
pub(crate) const BURST: u32 = 1_000_000_000;
/// How long a circuit stays open.
pub(crate) const RECOVERY: Duration = Duration::from_secs(30);
/// Failures in a row that open a circuit.
pub(crate) const THRESHOLD: u32 = 5;
/// Calls of a window, and the share of failures in it that opens the circuit.
pub(crate) const WINDOW: u32 = 100;
pub(crate) const RATIO: f32 = 0.5;

/// Installs it.
///
/// # Errors
///
/// None, unless a setting is no longer valid.
pub fn install() -> Result<(), ConfigError> {
    let consecutive = CircuitBreaker::new().failure_threshold(THRESHOLD).recovery_timeout(RECOVERY);
    let ratio = CircuitBreaker::new().failure_ratio(f64::from(RATIO)).window(Window::calls(WINDOW)).recovery_timeout(RECOVERY);
    resilient::configure()
        .breaker("payments", consecutive)
        .breaker("refunds", ratio)
        .breaker("broken", consecutive)
        .bucket("stripe", Rate::per_second(u64::from(PER_SECOND)).burst(BURST))
        .bucket("drained", Rate::per_day(1))
        .install()
}
