//! `hot_path bare|guarded CALLS`: for `scripts/instructions`, which counts what it executes.

use resilient::testing::TurnedClock;
use resilient::{Classify, Rejected, resilient};
use std::hint::black_box;
use std::time::Duration;

#[derive(Debug, Classify)]
enum PaymentError {
    #[permanent]
    Declined,
    Rejected(Rejected),
}

impl From<Rejected> for PaymentError {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

#[inline(never)]
fn bare(order: u64) -> Result<u64, PaymentError> {
    if black_box(order) == u64::MAX { Err(PaymentError::Declined) } else { Ok(order) }
}

#[inline(never)]
#[resilient(retries = 3, breaker = "payments", rate = 1_000_000)]
fn guarded(order: u64) -> Result<u64, PaymentError> {
    if black_box(order) == u64::MAX { Err(PaymentError::Declined) } else { Ok(order) }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let call = match arguments.next().as_deref() {
        Some("bare") => bare,
        Some("guarded") => guarded,
        _ => return eprintln!("usage: hot_path bare|guarded CALLS"),
    };
    let calls = arguments.next().and_then(|calls| calls.parse().ok()).unwrap_or(1_000);
    let clock = TurnedClock::start();
    let mut failed = 0_u64;
    for order in 0..calls {
        clock.advance(Duration::from_micros(1));
        failed += u64::from(call(order).is_err());
    }
    assert_eq!(black_box(failed), 0);
}
