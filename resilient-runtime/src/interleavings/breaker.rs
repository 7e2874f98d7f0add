//! The circuit breaker: its word, the moment beside it, and what is under its lock.

mod operators;
mod windows;

#[cfg(interleaved = "shuttle")]
use super::explore_whole;
use super::told::{times, told};
use super::{assert_caught, beside, explore, explore_some};
use crate::State;
use crate::breaker::loose::Loose;
use crate::breaker::{Breaker, Permit};
use crate::circuit_breaker::CircuitBreaker;
use crate::clock::Instant;
use crate::sync::thread::JoinHandle;
use crate::testing::TurnedClock;
use crate::window::Window;
use std::sync::Arc;
use std::time::Duration;

const SECOND: u64 = 1_000_000_000;
/// Where a turned clock stands.
const START: Instant = Instant::from_nanos(1 << 50);
/// A circuit that opened at the start may be probed.
const PROBING: Instant = START.plus(6 * SECOND);
const PROBING_AGAIN: Instant = PROBING.plus(6 * SECOND);
/// Ten times the longest time that it stays open.
const LONG_AFTER: Instant = START.plus(600 * SECOND);

fn opens_at(failures: u32) -> CircuitBreaker {
    CircuitBreaker::new().failure_threshold(failures)
}

fn breaker(settings: CircuitBreaker) -> Arc<Breaker> {
    Arc::new(Breaker::new("model", settings))
}

/// A thread with the breaker.
fn with<R: Send + 'static>(breaker: &Arc<Breaker>, steps: impl FnOnce(&Breaker) -> R + Send + 'static) -> JoinHandle<R> {
    let breaker = Arc::clone(breaker);
    beside(move || steps(&breaker))
}

fn end<R>(thread: JoinHandle<R>) -> R {
    thread.join().expect("no panic")
}

fn all<const N: usize>(threads: [JoinHandle<()>; N]) {
    threads.into_iter().for_each(end);
}

fn admitted(breaker: &Breaker, now: Instant) -> Loose {
    breaker.admit(now, None).expect("admitted").loose()
}

/// Whether it is admitted; a probe keeps its place.
fn asks(breaker: &Breaker, now: Instant) -> bool {
    breaker.admit(now, None).map(std::mem::forget).is_ok()
}

fn fail(breaker: &Breaker, permit: Loose, now: Instant) {
    permit.of(breaker).fail(now, now, u64::MAX);
}

fn succeed(breaker: &Breaker, permit: Loose, now: Instant) {
    permit.of(breaker).succeed(now, || now, || u64::MAX);
}

fn trip(breaker: &Breaker, now: Instant) {
    fail(breaker, admitted(breaker, now), now);
    assert!(breaker.is_refusing(now));
}

fn is_closed(breaker: &Breaker) -> bool {
    breaker.circuit().pass().is_some()
}

/// Whatever happened, long after it calls are admitted again, and close it.
fn quiesce(breaker: &Breaker) {
    for _ in 0..2 {
        let permit = admitted(breaker, LONG_AFTER);
        succeed(breaker, permit, LONG_AFTER);
    }
    assert!(is_closed(breaker));
}

fn as_many_failures_as_the_threshold() {
    explore(1000, || {
        let breaker = breaker(opens_at(2));
        let threads = [0, 1].map(|_| with(&breaker, |breaker| fail(breaker, admitted(breaker, START), START)));
        all(threads);
        assert!(!asks(&breaker, START));
        assert_eq!(times("circuit_opened"), 1);
        quiesce(&breaker);
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

/// One more asks at once than there are places for probes.
fn admission(places: u32) {
    explore_some(150, if places > 2 { 1 } else { 2 }, move || {
        let breaker = breaker(opens_at(1).half_open_calls(places));
        trip(&breaker, START);
        let others: Vec<_> = (0..places).map(|_| with(&breaker, |breaker| asks(breaker, PROBING))).collect();
        let own = asks(&breaker, PROBING);
        let all = others.into_iter().map(end).chain([own]).filter(|is_admitted| *is_admitted).count();
        assert_eq!(all, places as usize);
        assert!(!asks(&breaker, PROBING));
        assert_eq!(times("circuit_half_open"), 1);
        quiesce(&breaker);
    });
}

#[test]
fn one_place_for_probes_is_given_to_one() {
    admission(1);
}

#[test]
fn two_places_for_probes_are_given_to_two() {
    admission(2);
}

#[test]
fn three_places_for_probes_are_given_to_three() {
    admission(3);
}

/// No more than that, so that all orders come to an end; three threads have millions.
fn bare_admission(places: u32, taken: u32) -> impl Fn() + Send + Sync + 'static {
    move || {
        let breaker = breaker(opens_at(1).half_open_calls(places));
        trip(&breaker, START);
        assert!((0..taken).all(|_| asks(&breaker, PROBING)));
        let other = with(&breaker, |breaker| asks(breaker, PROBING));
        let own = asks(&breaker, PROBING);
        assert!(own != end(other), "one of them");
    }
}

#[test]
#[cfg(interleaved = "shuttle")]
fn one_of_two_threads_opens_it_half_in_all_orders() {
    explore_whole(100_000, bare_admission(1, 0));
}

#[test]
fn one_of_two_threads_has_the_last_place_in_all_orders() {
    explore(50, bare_admission(2, 1));
}

#[test]
fn seeded_an_admission_that_does_not_count_the_admitted_is_caught() {
    assert_caught("the admitted are not counted", || admission(1));
    assert_caught("the admitted are not counted", || explore(50, bare_admission(2, 1)));
}

#[derive(Clone, Copy, Debug)]
enum Late {
    Success,
    Failure,
    Drop,
    Hold,
}

const EVERY: [Late; 4] = [Late::Success, Late::Failure, Late::Drop, Late::Hold];

impl Late {
    fn arrives(self, breaker: &Breaker, permit: Loose) {
        match self {
            Self::Success => succeed(breaker, permit, PROBING_AGAIN),
            Self::Failure => fail(breaker, permit, PROBING_AGAIN),
            Self::Drop => drop(permit.of(breaker)),
            Self::Hold => permit.of(breaker).hold(PROBING),
        }
    }
}

/// The probe of an earlier half-open period ends in this one, whose own probe has the same number.
fn late_probe(late: Late, answers: bool) {
    explore(15, move || {
        let breaker = breaker(opens_at(1).success_threshold(1));
        trip(&breaker, START);
        let earlier = admitted(&breaker, PROBING);
        breaker.reset();
        trip(&breaker, PROBING);
        let probe = admitted(&breaker, PROBING_AGAIN);
        let arriving = with(&breaker, move |breaker| late.arrives(breaker, earlier));
        let answering = with(&breaker, move |breaker| {
            let is_third_admitted = asks(breaker, PROBING_AGAIN);
            (if answers { succeed } else { fail })(breaker, probe, PROBING_AGAIN);
            is_third_admitted
        });
        end(arriving);
        assert!(!end(answering), "{late:?} gave back a place that it had not");
        assert_eq!((is_closed(&breaker), times("circuit_closed")), (answers, usize::from(answers)));
        assert_eq!(times("circuit_opened"), if answers { 2 } else { 3 });
        quiesce(&breaker);
    });
}

/// A call from before the circuit opened ends while it is probed.
fn late_call(late: Late) {
    explore(3, move || {
        let breaker = breaker(opens_at(1).success_threshold(1));
        let earlier = admitted(&breaker, START);
        trip(&breaker, START);
        let probe = admitted(&breaker, PROBING);
        let arriving = with(&breaker, move |breaker| late.arrives(breaker, earlier));
        let answering = with(&breaker, move |breaker| succeed(breaker, probe, PROBING));
        end(arriving);
        end(answering);
        assert_eq!((is_closed(&breaker), breaker.failures(), times("circuit_opened")), (true, 0, 1), "{late:?}");
        quiesce(&breaker);
    });
}

#[test]
fn results_of_an_earlier_period_change_nothing() {
    for late in EVERY {
        late_probe(late, true);
        late_probe(late, false);
        late_call(late);
    }
}

#[test]
fn seeded_late_results_that_count_are_caught() {
    for late in EVERY {
        assert_caught("generations are not compared", || late_probe(late, true));
    }
    assert_caught("generations are not compared", || late_call(Late::Failure));
}

/// All of them find that it is too much.
fn trips_at_once(interruptions: usize, settings: fn() -> CircuitBreaker) {
    explore_some(300, interruptions, move || {
        let breaker = breaker(settings());
        let permits = [(); 3].map(|()| admitted(&breaker, START));
        let before = breaker.generation();
        all(permits.map(|permit| with(&breaker, move |breaker| fail(breaker, permit, START))));
        assert_eq!((times("circuit_opened"), breaker.generation()), (1, before + 1));
        let end_of_the_first = breaker.admit(START, None).map(|_| ());
        assert_eq!(end_of_the_first, Err(Some(START.plus(5 * SECOND))), "a second trip would have doubled it");
        quiesce(&breaker);
    });
}

#[test]
fn trips_at_once_are_one() {
    trips_at_once(1, || opens_at(1));
    trips_at_once(1, || opens_at(2));
    trips_at_once(2, || opens_at(3));
}

fn trips_of_a_window() {
    trips_at_once(2, || opens_at(1).failure_ratio(0.5).minimum_calls(2).window(Window::calls(4)));
    trips_at_once(2, || CircuitBreaker::new().failure_ratio(0.5).minimum_calls(2).window(Window::calls(4)));
    trips_at_once(2, || CircuitBreaker::new().failure_ratio(0.5).minimum_calls(3).window(Window::time(Duration::from_secs(10))));
}

#[test]
fn trips_of_a_window_at_once_are_one() {
    trips_of_a_window();
}

#[test]
fn seeded_a_second_trip_is_caught() {
    assert_caught("a second trip", || trips_at_once(1, || opens_at(1)));
    assert_caught("a second trip", trips_of_a_window);
}

/// A success may come between the failure that is too much and the change that it leads to.
fn event() {
    explore_some(2000, 2, || {
        let breaker = breaker(opens_at(2));
        let permits = [(); 3].map(|()| admitted(&breaker, START));
        let [first, second, third] = permits;
        let threads = [
            with(&breaker, move |breaker| fail(breaker, first, START)),
            with(&breaker, move |breaker| fail(breaker, second, START)),
            with(&breaker, move |breaker| succeed(breaker, third, START)),
        ];
        all(threads);
        assert!(told().iter().all(|told| told.failures == 2), "{:?}", told());
        quiesce(&breaker);
    });
}

#[test]
fn an_event_tells_the_failures_that_opened_it() {
    event();
}

#[test]
fn seeded_an_event_that_counts_again_is_caught() {
    assert_caught("an event counts again", event);
}

fn dropped_probe() {
    explore(400, || {
        let breaker = breaker(opens_at(1));
        trip(&breaker, START);
        let probe = admitted(&breaker, PROBING);
        let dropping = with(&breaker, move |breaker| drop(probe.of(breaker)));
        let asking = with(&breaker, |breaker| asks(breaker, PROBING));
        end(dropping);
        let is_admitted = end(asking);
        assert_eq!(asks(&breaker, PROBING), !is_admitted, "one place");
        assert!(!asks(&breaker, PROBING));
        quiesce(&breaker);
    });
}

#[test]
fn a_dropped_probe_gives_its_place_to_another_that_asks() {
    dropped_probe();
}

#[test]
fn seeded_a_dropped_probe_that_keeps_its_place_is_caught() {
    assert_caught("a dropped probe keeps its place", dropped_probe);
}

fn throttled_probe() {
    explore(400, || {
        let breaker = breaker(opens_at(1));
        trip(&breaker, START);
        let probe = admitted(&breaker, PROBING);
        let holding = with(&breaker, move |breaker| probe.of(breaker).hold(LONG_AFTER));
        let asking = with(&breaker, |breaker| asks(breaker, PROBING));
        end(holding);
        assert!(!end(asking));
        assert!(!asks(&breaker, PROBING.plus(120 * SECOND)));
        quiesce(&breaker);
    });
}

#[test]
fn a_throttled_probe_keeps_its_place_while_another_asks() {
    throttled_probe();
}

#[test]
fn seeded_a_throttled_probe_that_gives_its_place_back_is_caught() {
    assert_caught("a throttled probe gives its place back", throttled_probe);
}

/// A probe answers when its lease is over and another asks for its place.
fn lease(answers: bool) {
    const LEASE: u64 = 10 * SECOND;
    explore_some(100, 3, move || {
        let breaker = breaker(opens_at(1).success_threshold(1));
        trip(&breaker, START);
        let probe = breaker.admit(PROBING, Some(LEASE)).expect("admitted").loose();
        let over = PROBING.plus(LEASE);
        let answering = with(&breaker, move |breaker| (if answers { succeed } else { fail })(breaker, probe, over));
        let asking = with(&breaker, move |breaker| breaker.admit(over, None).ok().map(Permit::loose));
        end(answering);
        let other = end(asking);
        let has_counted = if answers { times("circuit_closed") == 1 } else { times("circuit_opened") == 2 };
        assert_eq!(other.is_some(), answers || !has_counted);
        assert_eq!(other.is_some_and(Loose::is_probe), !has_counted, "the probe, or the one in its place");
        assert_eq!(asks(&breaker, over), answers && has_counted, "one place");
        quiesce(&breaker);
    });
}

#[test]
fn a_probe_counts_or_another_has_its_place() {
    lease(true);
    lease(false);
}

#[test]
fn seeded_a_probe_that_counts_without_a_place_is_caught() {
    assert_caught("a probe counts without a place", || lease(true));
    assert_caught("a probe counts without a place", || lease(false));
}

fn moment_and_state() {
    explore(2000, || {
        let _clock = TurnedClock::start();
        let breaker = breaker(opens_at(1));
        let call = admitted(&breaker, START);
        let failing = with(&breaker, move |breaker| fail(breaker, call, START));
        let looking = with(&breaker, |breaker| [breaker.state(), breaker.state()]);
        end(failing);
        let seen = end(looking);
        assert!([[State::Closed; 2], [State::Closed, State::Open], [State::Open; 2]].contains(&seen), "{seen:?}");
        quiesce(&breaker);
    });
}

#[test]
fn whoever_sees_it_open_sees_until_when() {
    moment_and_state();
}

#[test]
fn seeded_a_time_that_is_published_after_the_state_is_caught() {
    assert_caught("the time after the state", moment_and_state);
}

fn refusal() {
    explore(700, || {
        let breaker = breaker(opens_at(1));
        trip(&breaker, START);
        let probe = breaker.admit(PROBING, Some(3_600 * SECOND)).expect("admitted").loose();
        let failing = with(&breaker, move |breaker| fail(breaker, probe, PROBING));
        let looking = with(&breaker, |breaker| breaker.refuses_for(PROBING));
        end(failing);
        let wait = end(looking);
        assert!(wait.is_none_or(|wait| wait == 10 * SECOND), "{wait:?}");
        quiesce(&breaker);
    });
}

#[test]
fn a_refusal_tells_how_long_this_opening_lasts() {
    refusal();
}

#[test]
fn seeded_a_time_that_is_read_before_the_state_is_caught() {
    assert_caught("the time is read before the state", refusal);
}

fn new_place() {
    explore_some(800, 3, || {
        let breaker = breaker(opens_at(1));
        trip(&breaker, START);
        assert!(asks(&breaker, PROBING));
        let changing = with(&breaker, |breaker| breaker.change_settings(opens_at(1).half_open_calls(2)));
        let asking = with(&breaker, |breaker| asks(breaker, PROBING));
        end(changing);
        let is_admitted = end(asking);
        assert_eq!(asks(&breaker, PROBING), !is_admitted, "two places");
        assert!(!asks(&breaker, PROBING));
        quiesce(&breaker);
    });
}

#[test]
fn a_new_place_for_a_probe_is_there_at_once() {
    new_place();
}

#[test]
fn seeded_a_new_place_that_nobody_is_told_of_is_caught() {
    assert_caught("a new place is not told of", new_place);
}

fn call_in_passing() {
    explore_some(1500, 3, || {
        let breaker = breaker(opens_at(2));
        fail(&breaker, admitted(&breaker, START), START);
        let failing = with(&breaker, |breaker| fail(breaker, admitted(breaker, START), START));
        let passing = with(&breaker, |breaker| {
            let Some(pass) = breaker.circuit().pass() else { return };
            if breaker.circuit().listens() {
                breaker.hear(pass, START);
            }
        });
        end(failing);
        end(passing);
        assert_eq!(is_closed(&breaker), breaker.failures() <= 1 && times("circuit_opened") == 0);
        quiesce(&breaker);
    });
}

#[test]
fn a_call_in_passing_clears_the_failures_before_it() {
    call_in_passing();
}

#[test]
fn seeded_a_call_in_passing_that_closes_an_open_circuit_is_caught() {
    assert_caught("a count is read, then stored", call_in_passing);
}
