//! Where no value is known the failure goes on, so refusals need a place.

use resilient::resilient;
use std::time::Duration;

#[derive(Debug)]
struct Plain;

#[resilient(breaker = "plain", fallback = last_known("10m"))]
fn without_from() -> Result<u32, Plain> {
    Ok(1)
}

#[resilient(rate = 10, fallback = last_known("10m"))]
fn without_result() -> u32 {
    1
}

const SECONDS: u64 = 600;

#[resilient(fallback = last_known(SECONDS))]
fn without_duration() -> Result<u32, Plain> {
    Ok(1)
}

#[resilient(breaker = "plain", fallback = last_known(Duration::from_secs(SECONDS)), map_err = |_| Plain)]
fn fine() -> Result<u32, Plain> {
    Ok(1)
}

fn main() {}
