use super::*;
use crate::CircuitBreaker;
use crate::judging::{classify, retry_if, told};
use crate::rate::Rate;
use crate::site::Site;
use crate::verdict::Verdict;
use std::time::Duration;

static CALLED: Site = Site::new("called", "call/tests.rs", 1, |site| {
    let site = site.retries(1).base_delay(Duration::from_nanos(1)).breaker("called", CircuitBreaker::new());
    site.bucket("called").rate(Rate::per_second(1_000_000).burst(1_000))
});

/// What becomes of one attempt, and whether that took no engine.
fn settled<T>(settle: impl FnOnce(&mut Call<'_, 'static>) -> T) -> (T, bool) {
    let mut slot = no_engine();
    let mut call = Call::new(CALLED.plan(), &mut slot);
    call.turn_blocking().expect("a healthy call");
    call.body(|| ());
    let settled = settle(&mut call);
    (settled, call.engine.is_empty())
}

#[test]
fn a_success_takes_no_engine_whoever_judges_it() {
    const GOOD: Result<u8, String> = Ok(1);
    let mut success = |_: &Result<u8, String>| Verdict::Success;
    assert_eq!(settled(|call| call.settle(classify(&GOOD, &mut success), GOOD)), (Some(GOOD), true));
    assert_eq!(settled(|call| call.settle_once(classify(&GOOD, &mut success), GOOD)), (GOOD, true));
    assert_eq!(settled(|call| call.settle_once_knowing(classify(&GOOD, &mut success), GOOD)), ((GOOD, true), true));
    let judge = || {
        use crate::__private::judging::*;
        (&&&told(&GOOD).resilient_values()).resilient_judge()
    };
    assert_eq!(settled(|call| call.succeeds(judge(), &GOOD).is_none()), (true, true));
    assert_eq!(settled(|call| call.succeeds_once(retry_if(&GOOD, judge(), &mut |_| true), &GOOD).is_none()), (true, true));
}

#[test]
fn a_failure_is_left_to_its_judge() {
    const BAD: Result<u8, String> = Err(String::new());
    let judge = || {
        use crate::__private::judging::*;
        (&&&told(&BAD).resilient_values()).resilient_judge()
    };
    assert_eq!(settled(|call| call.succeeds(judge(), &BAD).map(|judge| call.settle(judge, BAD))), (Some(None), false));
    let last = settled(|call| call.settle(retry_if(&BAD, judge(), &mut |_| false), BAD));
    assert_eq!(last, (Some(BAD), false));
}
