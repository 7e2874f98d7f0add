use super::*;
use crate::breaker::Breaker;
use crate::call::Call;
use crate::judging::Judged;
use crate::rate::Rate;
use crate::site::Site;
use crate::{Bucket, Bulkhead};
use crate::{CircuitBreaker, registry};
use std::sync::mpsc;
use std::time::Duration;

static EVERYTHING: Site = Site::new("call", "call/tests.rs", 1, |site| {
    site.retries(3)
        .deadline(Duration::from_secs(60))
        .breaker("locks", CircuitBreaker::new())
        .bucket("locks")
        .rate(Rate::per_second(1_000).burst(1_000))
        .bulkhead("locks")
        .budget_named("locks")
});

/// Every lock that there is, is held by this thread while another makes a call: one that took any would never come back.
#[test]
fn a_healthy_call_takes_no_lock() {
    let plan = EVERYTHING.plan();
    let (done, is_done) = mpsc::channel();
    let resources =
        (plan.breaker.map(Breaker::hold_lock), plan.bucket.map(Bucket::hold_lock), plan.bulkhead.map(Bulkhead::hold_lock));
    let _all = (resources, crate::configure::installed::installed(), registry::hold_lock());
    std::thread::spawn(move || {
        let mut engine = crate::call::no_engine();
        let mut call = Call::new(plan, &mut engine);
        let outcome = call.turn_blocking().map(|()| call.body(|| 7));
        let settled = call.settle_judged(Judged::by(Verdict::Success));
        done.send((outcome, settled)).ok();
    });
    let outcome = is_done.recv_timeout(Duration::from_secs(20)).expect("the call came back");
    assert_eq!(outcome, (Ok(7), true));
}

#[test]
fn attempts_are_never_more_than_can_be_counted() {
    assert_eq!(EVERYTHING.plan().with_retries(u32::MAX).settings.retries, u32::MAX - 1);
}

#[test]
fn hints_are_never_undercut_and_spread_by_a_tenth_within_the_limit() {
    for (random, wait) in [(0, 1_000), (1 << 31, 1_050), (u64::MAX, 1_100)] {
        assert_eq!(spread_hint(10, 1_000, 5_000, random), wait);
        assert_eq!(spread_hint(10, 1_000, 1_000, random), 1_000);
        assert!(spread_hint(2_000, 1_000, 1_500, random) >= 2_000);
    }
    assert_eq!(spread_hint(0, u64::MAX, u64::MAX, u64::MAX), u64::MAX);
    let hinted = |wait| hint(&Judged::by(Verdict::Transient { retry_after: Some(Duration::from_nanos(wait)) }));
    assert_eq!((hinted(0), hinted(1)), (None, Some(1)), "no time is no wish");
}
