use super::*;
use crate::CircuitBreaker;
use crate::call::{Call, no_engine};
use crate::judging::Judged;
use crate::rate::Rate;
use crate::site::Site;
use crate::verdict::Verdict;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

static SEATED: Site = Site::new("seated", "seat/tests.rs", 1, |site| {
    let site = site.retries(1).base_delay(Duration::from_nanos(1)).deadline(Duration::from_secs(60));
    site.breaker("seated", CircuitBreaker::new()).bucket("seated").rate(Rate::per_second(1_000).burst(1_000)).bulkhead("seated")
});

fn in_flight(plan: &Plan<'_>) -> Option<u32> {
    plan.bulkhead.map(Bulkhead::in_flight)
}

/// One call; what was in flight, and handed down, while its body ran.
fn call(plan: &'static Plan<'static>, body: impl Fn() -> Verdict) -> (Option<u32>, bool) {
    let mut slot = no_engine();
    let mut call = Call::new(plan, &mut slot);
    call.turn_blocking().expect("nothing refuses");
    let seen = (in_flight(plan), nesting::inherited().ends != Instant::NEVER);
    let verdict = call.body(body);
    assert_eq!((in_flight(plan), nesting::is_alone()), (Some(0), true), "{verdict:?}");
    let _ = call.settle_judged(Judged::by(verdict));
    seen
}

#[test]
fn a_slot_is_held_while_the_body_runs_and_given_back_once_however_it_ends() {
    let plan = SEATED.plan();
    for verdict in [Verdict::Success, Verdict::TRANSIENT, Verdict::Permanent, Verdict::Ignored] {
        assert_eq!(call(plan, || verdict), (Some(1), true));
        assert_eq!(in_flight(plan), Some(0));
    }
    assert_eq!(plan.breaker.map(crate::breaker::Breaker::failures), Some(0), "a permanent answer came after the failure");
    let panicked = catch_unwind(AssertUnwindSafe(|| call(plan, || panic!("the body")))).is_err();
    assert_eq!((panicked, in_flight(plan), nesting::is_alone()), (true, Some(0), true));
    assert_eq!(nesting::inherited().ends, Instant::NEVER);
    assert_eq!(plan.breaker.map(crate::breaker::Breaker::failures), Some(1), "one panic is one failure");
}
