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

/// Clocks count for 584 years. Nobody lives to see it, but a counter that jumps may show it.
#[cfg(feature = "testing")]
#[test]
fn where_clocks_end_calls_keep_their_limits_and_come_back() {
    use crate::wishes::{Guard, Hands, Wish};
    use crate::{Backoff, Jitter, Policy, Rejected};
    use std::io;
    const SECOND: Duration = Duration::from_secs(1);
    const DAY: Duration = Duration::from_secs(86_400);
    let lost = || Err::<(), _>(io::Error::from(io::ErrorKind::ConnectionReset));
    let refused =
        |outcome: io::Result<()>| outcome.unwrap_err().get_ref().and_then(|inner| inner.downcast_ref::<Rejected>()).copied();
    let calls = move |number: usize, left: Duration| {
        let _clock = Guard::new(Wish::Clock(Box::leak(Box::new(Hands::without_end(u64::MAX - nanos(left))))));
        for (delay, deadline) in [Duration::from_nanos(1), SECOND, DAY, Duration::MAX]
            .into_iter()
            .flat_map(|wait| [SECOND, DAY].map(|ends| (wait, ends)))
        {
            let policy = Policy::builder().retries(3).base_delay(delay).max_delay(delay).jitter(Jitter::None);
            let policy =
                policy.backoff(Backoff::Constant).deadline(deadline).breaker(&format!("where clocks end {number} {delay:?}"));
            let (policy, mut attempts) = (policy.build().unwrap(), 0);
            let outcome = policy.run(|| {
                attempts += 1;
                lost()
            });
            assert_eq!(refused(outcome).map(|rejected| rejected.to_string()), None);
            assert!((1..=4).contains(&attempts), "{attempts} attempts {left:?} before the end");
        }
        let limited = Policy::builder().rate(Rate::per_second(1).burst(2)).max_wait(Duration::MAX).build().unwrap();
        let admitted: Vec<_> = (0..4).map(|_| refused(limited.run(|| io::Result::Ok(())).and_then(|()| lost()))).collect();
        assert!(admitted[..2].iter().all(Option::is_none), "{admitted:?}");
        assert!(admitted[2..].iter().all(|refused| matches!(refused, Some(Rejected::RateLimited(_)))), "{admitted:?}");
        let full = Policy::builder().concurrency(1).max_wait(SECOND).build().unwrap();
        let inner = full.run(|| io::Result::Ok(refused(full.run(lost))));
        assert!(matches!(inner.unwrap(), Some(Rejected::BulkheadFull(_))), "{left:?} before the end");
    };
    let (done, is_done) = mpsc::channel();
    std::thread::spawn(move || {
        for (number, left) in [DAY * 2, SECOND, Duration::from_nanos(2), Duration::from_nanos(1)].into_iter().enumerate() {
            calls(number, left);
        }
        done.send(()).ok();
    });
    is_done.recv_timeout(Duration::from_secs(60)).expect("nobody waits for ever");
}
