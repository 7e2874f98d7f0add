//! The circuit breaker.

use super::{assert_caught, beside, explore};
use crate::breaker::Breaker;
use crate::circuit_breaker::CircuitBreaker;
use crate::clock::Instant;
use std::sync::Arc;

const START: Instant = Instant::from_nanos(1_000_000_000_000);

fn as_many_failures_as_the_threshold() {
    explore(10, || {
        let breaker = Arc::new(Breaker::new("threshold", CircuitBreaker::new().failure_threshold(2)));
        let threads = [0, 1].map(|_| {
            let breaker = Arc::clone(&breaker);
            beside(move || {
                let permit = breaker.admit(START, None);
                permit.map(|permit| permit.fail(START, START, 0)).is_ok()
            })
        });
        let were_admitted = threads.map(|thread| thread.join().expect("no panic"));
        assert_eq!(were_admitted, [true, true], "closed until the last of them");
        assert!(breaker.admit(START, None).is_err());
    });
}

#[test]
fn as_many_failures_as_the_threshold_always_open_it() {
    as_many_failures_as_the_threshold();
}

#[test]
fn seeded_a_count_that_is_read_and_then_stored_is_caught() {
    assert_caught("a count is read, then stored", as_many_failures_as_the_threshold);
}
