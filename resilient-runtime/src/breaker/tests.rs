use super::*;
use std::sync::Barrier;
use std::sync::atomic::AtomicUsize;
use std::thread;

const SECOND: u64 = 1_000_000_000;

impl Permit<'_> {
    fn answered(&self) {
        self.succeed(Instant::NEVER, || at(0), || u64::MAX);
    }
}

fn at(seconds: u64) -> Instant {
    Instant::from_nanos(seconds * SECOND)
}

fn breaker(settings: CircuitBreaker) -> Breaker {
    Breaker::new("test", settings)
}

fn admit(breaker: &Breaker, now: Instant) -> Option<Permit<'_>> {
    breaker.admit(now, None).ok()
}

/// Without randomness taken off, so that moments are exact.
fn fail(permit: Option<Permit<'_>>, now: Instant) {
    permit.expect("admitted").fail(Instant::NEVER, now, u64::MAX);
}

fn trip(breaker: &Breaker, now: Instant) {
    while breaker.load().phase() != Phase::Open {
        fail(admit(breaker, now), now);
    }
}

fn recover(breaker: &Breaker, now: Instant) {
    for _ in 0..2 {
        admit(breaker, now).expect("admitted").answered();
    }
}

#[test]
fn only_consecutive_failures_open_it_and_exactly_at_the_threshold() {
    let breaker = breaker(CircuitBreaker::new().failure_threshold(3));
    for _ in 0..10 {
        fail(admit(&breaker, at(0)), at(0));
        fail(admit(&breaker, at(0)), at(0));
        admit(&breaker, at(0)).expect("closed").answered();
    }
    assert_eq!(breaker.load().phase(), Phase::Closed);
    trip(&breaker, at(0));
    assert!(admit(&breaker, at(4)).is_none());
    assert_eq!(breaker.admit(at(4), None).map(drop), Err(Some(at(5))));
}

#[test]
fn two_successful_probes_close_it_one_failed_probe_doubles_the_wait() {
    let breaker = breaker(CircuitBreaker::new());
    trip(&breaker, at(0));
    fail(admit(&breaker, at(5)), at(5));
    assert!(admit(&breaker, at(14)).is_none());
    fail(admit(&breaker, at(15)), at(15));
    assert!(admit(&breaker, at(34)).is_none());
    recover(&breaker, at(35));
    assert_eq!(breaker.load().phase(), Phase::Closed);
    trip(&breaker, at(40));
    assert!(admit(&breaker, at(45)).is_some(), "a recovery forgets the doubling");
}

#[test]
fn the_wait_grows_to_its_cap_and_is_shortened_at_random_by_a_tenth_at_most() {
    let settings = CircuitBreaker::new().resolved();
    let opened = |trips, random| {
        let mut recovery = Recovery::default();
        for _ in 0..trips {
            recovery.open_for(&settings, 0);
        }
        recovery.open_for(&settings, random)
    };
    assert_eq!((opened(0, 0), opened(0, u64::MAX)), (9 * SECOND / 2, 5 * SECOND));
    assert_eq!((opened(3, 0), opened(3, u64::MAX)), (36 * SECOND, 40 * SECOND));
    for trips in [4, 63, 64, 1_000] {
        assert_eq!(opened(trips, u64::MAX), 60 * SECOND, "{trips}");
    }
}

#[test]
fn a_recovery_that_failed_leaves_no_success_to_the_next() {
    let breaker = breaker(CircuitBreaker::new());
    trip(&breaker, at(0));
    admit(&breaker, at(5)).expect("probe").answered();
    fail(admit(&breaker, at(5)), at(5));
    admit(&breaker, at(15)).expect("probe").answered();
    assert_eq!(breaker.load().phase(), Phase::HalfOpen);
    admit(&breaker, at(15)).expect("probe").answered();
    assert_eq!(breaker.load().phase(), Phase::Closed);
}

#[test]
fn only_the_circuit_that_lets_nobody_pass_is_shut() {
    let breaker = breaker(CircuitBreaker::new());
    breaker.force_open();
    assert!(Circuit::SHUT.is_shut() && !Circuit::CLOSED.is_shut() && !breaker.circuit().is_shut());
}

/// A reset that forgot failures in a row was not told.
#[test]
fn failures_in_a_row_are_something_that_was_counted() {
    let breaker = breaker(CircuitBreaker::new());
    let is_fresh = || lock(&breaker.records).is_fresh(breaker.load(), breaker.settings.get());
    assert!(is_fresh());
    fail(admit(&breaker, at(0)), at(0));
    assert!(!is_fresh());
    breaker.reset();
    assert!(is_fresh());
}

#[test]
fn who_is_let_pass_and_who_is_refused_is_known_in_every_state() {
    let breaker = breaker(CircuitBreaker::new());
    let told = |now| (breaker.lets_pass(), breaker.refuses_for(now), breaker.is_refusing(now));
    assert_eq!(told(at(0)), (true, None, false));
    trip(&breaker, at(0));
    assert_eq!(told(at(4)), (false, Some(SECOND), true));
    assert_eq!(told(at(5)), (false, None, false), "it would be half open");
    let probe = admit(&breaker, at(5));
    assert_eq!(told(at(6)), (false, None, true), "the only place is taken, and may come back any time");
    drop(probe);
    assert_eq!(told(at(6)), (false, None, false));
    breaker.force_open();
    assert_eq!(told(at(0)), (false, None, true), "for ever");
    breaker.disable();
    assert_eq!(told(at(0)), (true, None, false));
}

#[test]
fn an_open_circuit_refuses_without_its_lock() {
    let breaker = breaker(CircuitBreaker::new());
    trip(&breaker, at(0));
    let held = breaker.hold_lock();
    assert_eq!(breaker.admit(at(4), None).map(drop), Err(Some(at(5))));
    drop(held);
    breaker.force_open();
    let held = breaker.hold_lock();
    assert_eq!(breaker.admit(at(4), None).map(drop), Err(None));
    drop(held);
}

#[test]
fn who_comes_to_the_lock_when_it_has_opened_again_is_refused() {
    let breaker = breaker(CircuitBreaker::new());
    trip(&breaker, at(0));
    let mut records = lock(&breaker.records);
    let (asked, change) = breaker.probe(&mut records, at(4), None);
    assert_eq!(asked.map(drop), Err(Some(at(5))));
    assert!(change.is_none());
}

#[test]
fn half_open_admits_exactly_its_number_of_calls_at_a_time() {
    for places in 1..=4 {
        let breaker = breaker(CircuitBreaker::new().half_open_calls(places).success_threshold(100));
        trip(&breaker, at(0));
        let mut probes: Vec<_> = (0..10).filter_map(|_| admit(&breaker, at(5))).collect();
        assert_eq!(probes.len(), places as usize);
        probes.pop().expect("a probe").answered();
        assert!(admit(&breaker, at(5)).is_some());
    }
}

#[test]
fn a_dropped_probe_gives_its_place_back_a_thousand_times() {
    let breaker = breaker(CircuitBreaker::new());
    trip(&breaker, at(0));
    for _ in 0..1_000 {
        drop(admit(&breaker, at(5)).expect("the place was given back"));
    }
    recover(&breaker, at(5));
    assert_eq!(breaker.load().phase(), Phase::Closed);
}

#[test]
fn a_probe_that_hangs_loses_its_place_when_its_lease_ends_and_the_lease_doubles() {
    let breaker = breaker(CircuitBreaker::new());
    trip(&breaker, at(0));
    let admit = |now| breaker.admit(now, Some(10 * SECOND));
    let hung = admit(at(5)).expect("probe");
    assert_eq!(admit(at(14)).map(drop), Err(Some(at(15))));
    let second = admit(at(15)).expect("the lease is over");
    assert_eq!(admit(at(34)).map(drop), Err(Some(at(35))));
    hung.fail(Instant::NEVER, at(16), 0);
    assert_eq!(breaker.load().phase(), Phase::HalfOpen, "the late result of a probe without a place changes nothing");
    second.answered();
    admit(at(17)).expect("probe").answered();
    assert_eq!(breaker.load().phase(), Phase::Closed);
}

#[test]
fn a_throttled_probe_keeps_its_place_until_the_hint_ends() {
    let breaker = breaker(CircuitBreaker::new());
    trip(&breaker, at(0));
    admit(&breaker, at(5)).expect("probe").hold(at(9));
    assert!(admit(&breaker, at(8)).is_none());
    let next = breaker.admit(at(9), Some(SECOND)).expect("the hint is over");
    assert_eq!(breaker.admit(at(9), None).map(drop), Err(Some(at(10))), "a hint that ended is no expired lease");
    drop(next);
}

#[test]
fn late_results_of_an_older_generation_change_nothing() {
    let breaker = breaker(CircuitBreaker::new().failure_threshold(2));
    let old: Vec<_> = (0..100).filter_map(|_| admit(&breaker, at(0))).collect();
    trip(&breaker, at(0));
    let before = breaker.load();
    let mut old = old.into_iter();
    let mut late = |now| {
        old.next().expect("permit").fail(Instant::NEVER, now, 0);
        old.next().expect("permit").answered();
        drop(old.next());
    };
    late(at(0));
    assert_eq!(breaker.load(), before);
    let first = admit(&breaker, at(5)).expect("probe");
    late(at(5));
    assert!(admit(&breaker, at(5)).is_none(), "the only place is taken");
    first.answered();
    late(at(5));
    admit(&breaker, at(5)).expect("probe").answered();
    assert_eq!(breaker.load().phase(), Phase::Closed);
    late(at(6));
    late(at(6));
    assert_eq!((breaker.load().phase(), breaker.load().failures()), (Phase::Closed, 0));
}

#[test]
fn operators_open_disable_and_reset_it() {
    let breaker = breaker(CircuitBreaker::new().failure_threshold(1));
    let running = admit(&breaker, at(0));
    breaker.force_open();
    assert_eq!(breaker.admit(at(1_000_000), None).map(drop), Err(None));
    assert_eq!(breaker.state(), State::ForcedOpen);
    fail(running, at(0));
    breaker.disable();
    for _ in 0..100 {
        fail(admit(&breaker, at(0)), at(0));
    }
    assert_eq!(breaker.state(), State::Disabled);
    breaker.reset();
    assert_eq!(breaker.state(), State::Closed);
    fail(admit(&breaker, at(0)), at(0));
    breaker.reset();
    assert!(admit(&breaker, at(0)).is_some());
}

#[test]
fn new_settings_keep_the_state() {
    let breaker = breaker(CircuitBreaker::new());
    trip(&breaker, at(0));
    breaker.change_settings(CircuitBreaker::new().failure_threshold(10).success_threshold(1));
    assert_eq!(breaker.admit(at(4), None).map(drop), Err(Some(at(5))));
    admit(&breaker, at(5)).expect("probe").answered();
    assert_eq!(breaker.load().phase(), Phase::Closed);
}

#[test]
fn time_that_goes_back_keeps_it_open() {
    let breaker = breaker(CircuitBreaker::new());
    trip(&breaker, at(100));
    for seconds in [99, 0, 104] {
        assert!(admit(&breaker, at(seconds)).is_none());
    }
    assert!(admit(&breaker, at(105)).is_some());
}

/// Debug builds panic where a number of nanoseconds overflows.
#[test]
fn it_works_from_the_first_moment_that_a_clock_can_show_to_the_last() {
    let last = u64::MAX - 1;
    for start in [0, 1, last - 5 * SECOND, last - SECOND, last] {
        let settings = CircuitBreaker::new().failure_threshold(3).failure_ratio(1.0).slow_call_duration(std::time::Duration::MAX);
        for window in
            [crate::Window::time(std::time::Duration::from_millis(10)), crate::Window::time(std::time::Duration::from_secs(86_400))]
        {
            let (breaker, now) = (breaker(settings.window(window)), Instant::from_nanos(start));
            admit(&breaker, now).expect("closed").succeed(now, || now, || u64::MAX);
            (0..3).for_each(|_| fail(admit(&breaker, now), now));
            let opens_until = Instant::from_nanos(start.saturating_add(5 * SECOND));
            assert_eq!(breaker.admit(now, None).map(drop), Err(Some(opens_until)));
            let probe = breaker.admit(opens_until, Some(u64::MAX)).expect("a probe");
            drop(probe);
            let hung = breaker.admit(opens_until, None).expect("a probe");
            breaker.admit(Instant::NEVER, Some(u64::MAX)).expect("the lease is over").hold(Instant::NEVER);
            drop(hung);
            assert!(breaker.counted(Instant::NEVER).calls == 0);
        }
    }
}

#[test]
fn many_threads_open_it_once_and_one_alone_probes() {
    for round in 0..50 {
        let breaker = breaker(CircuitBreaker::new().failure_threshold(8));
        let (barrier, probes) = (Barrier::new(8), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let permit = admit(&breaker, at(0));
                    barrier.wait();
                    fail(permit, at(0));
                    barrier.wait();
                    let permit = admit(&breaker, at(5));
                    probes.fetch_add(usize::from(permit.is_some()), Ordering::SeqCst);
                    barrier.wait();
                    drop(permit);
                });
            }
        });
        assert_eq!((round, probes.load(Ordering::SeqCst)), (round, 1));
        assert!(admit(&breaker, at(5)).is_some());
    }
}

mod shadow;
mod windows;

#[test]
fn more_places_for_probes_are_free_at_once() {
    let breaker = breaker(CircuitBreaker::new());
    trip(&breaker, at(0));
    let first = admit(&breaker, at(5)).expect("a probe");
    assert!(admit(&breaker, at(6)).is_none());
    breaker.change_settings(CircuitBreaker::new().half_open_calls(2));
    admit(&breaker, at(6)).expect("a second probe").answered();
    first.answered();
    assert_eq!(breaker.load().phase(), Phase::Closed);
}
