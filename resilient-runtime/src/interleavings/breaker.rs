//! The circuit breaker: its word, the moment beside it, and what is under its lock.

use super::told::{times, told};
use super::{assert_caught, beside, explore, explore_some};
use crate::breaker::Breaker;
use crate::breaker::loose::Loose;
use crate::circuit_breaker::CircuitBreaker;
use crate::clock::Instant;
use crate::sync::thread::JoinHandle;
use crate::testing::TurnedClock;
use crate::window::Window;
use crate::{Counts, State};
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

#[test]
fn seeded_an_admission_that_does_not_count_the_admitted_is_caught() {
    assert_caught("the admitted are not counted", || admission(1));
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

#[test]
fn trips_of_a_window_at_once_are_one() {
    trips_at_once(2, || CircuitBreaker::new().failure_ratio(0.5).minimum_calls(2).window(Window::calls(4)));
    trips_at_once(2, || CircuitBreaker::new().failure_ratio(0.5).minimum_calls(3).window(Window::time(Duration::from_secs(10))));
}

#[test]
fn seeded_a_second_trip_is_caught() {
    assert_caught("a second trip", || trips_at_once(1, || opens_at(1)));
}

/// A success may come between the failure that is too much and the change that it leads to.
#[test]
fn an_event_tells_the_failures_that_opened_it() {
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

#[test]
fn a_throttled_probe_keeps_its_place_while_another_asks() {
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

/// A probe answers when its lease is over and another asks for its place.
#[test]
fn a_probe_counts_or_another_has_its_place() {
    const LEASE: u64 = 10 * SECOND;
    for answers in [true, false] {
        explore_some(100, 3, move || {
            let breaker = breaker(opens_at(1).success_threshold(1));
            trip(&breaker, START);
            let probe = breaker.admit(PROBING, Some(LEASE)).expect("admitted").loose();
            let over = PROBING.plus(LEASE);
            let answering = with(&breaker, move |breaker| (if answers { succeed } else { fail })(breaker, probe, over));
            let asking = with(&breaker, move |breaker| asks(breaker, over));
            end(answering);
            let is_admitted = end(asking);
            let has_counted = if answers { times("circuit_closed") == 1 } else { times("circuit_opened") == 2 };
            assert_eq!(is_admitted, answers || !has_counted);
            assert_eq!(asks(&breaker, over), answers && has_counted, "one place");
            quiesce(&breaker);
        });
    }
}

/// What an operator does holds, whatever a call of before does at the same time.
fn operator(acts: fn(&Breaker), holds: fn(&Breaker) -> bool) {
    explore(700, move || {
        let breaker = breaker(opens_at(1));
        let call = admitted(&breaker, START);
        let acting = with(&breaker, acts);
        let failing = with(&breaker, move |breaker| fail(breaker, call, START));
        end(acting);
        end(failing);
        assert!(holds(&breaker));
        assert!(times("circuit_opened") <= 1);
        breaker.reset();
        quiesce(&breaker);
    });
    explore_some(100, 1, move || {
        let breaker = breaker(opens_at(1).success_threshold(1));
        trip(&breaker, START);
        let probe = admitted(&breaker, PROBING);
        let acting = with(&breaker, acts);
        let answering = with(&breaker, move |breaker| succeed(breaker, probe, PROBING));
        let asking = with(&breaker, |breaker| breaker.admit(PROBING, None).map(drop).is_ok());
        end(acting);
        end(answering);
        end(asking);
        assert!(holds(&breaker));
        breaker.reset();
        quiesce(&breaker);
    });
}

#[test]
fn forced_open_it_stays_open() {
    operator(Breaker::force_open, |breaker| breaker.admit(LONG_AFTER, None).map(drop) == Err(None));
}

#[test]
fn disabled_it_stays_disabled() {
    operator(Breaker::disable, |breaker| !is_closed(breaker) && breaker.lets_pass());
}

#[test]
fn reset_it_is_closed_and_clean() {
    operator(Breaker::reset, |breaker| is_closed(breaker) && breaker.is_clean(START));
}

#[test]
fn operators_at_once_leave_what_one_of_them_wants() {
    explore(50, || {
        let _clock = TurnedClock::start();
        let breaker = breaker(opens_at(1));
        trip(&breaker, START);
        let threads = [with(&breaker, Breaker::force_open), with(&breaker, Breaker::reset)];
        all(threads);
        assert!(matches!(breaker.state(), State::ForcedOpen | State::Closed), "{:?}", breaker.state());
        breaker.reset();
        quiesce(&breaker);
    });
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

#[test]
fn an_open_circuit_is_not_half_open_before_it_is_reset_or_forced() {
    for (acts, state) in [(Breaker::reset as fn(&Breaker), State::Closed), (Breaker::force_open, State::ForcedOpen)] {
        explore(150, move || {
            let _clock = TurnedClock::start();
            let breaker = breaker(opens_at(1));
            trip(&breaker, START);
            let acting = with(&breaker, acts);
            let looking = with(&breaker, |breaker| [breaker.state(), breaker.state()]);
            end(acting);
            let seen = end(looking);
            assert!([[State::Open; 2], [State::Open, state], [state; 2]].contains(&seen), "{seen:?}");
        });
    }
}

#[test]
fn a_refusal_tells_how_long_this_opening_lasts() {
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

/// A word without a streak says of a window of calls that it is full of successes, and of no window that nothing has happened.
#[test]
fn a_new_kind_of_window_begins_empty_while_calls_end() {
    let windowed = || opens_at(9).failure_ratio(1.0).minimum_calls(9).window(Window::calls(9));
    for (before, after) in [(opens_at(9), windowed()), (windowed(), opens_at(9))] {
        explore_some(800, 1, move || {
            let breaker = breaker(before);
            let calls = [(); 2].map(|()| admitted(&breaker, START));
            let [failing, succeeding] = calls;
            let threads = [
                with(&breaker, move |breaker| breaker.change_settings(after)),
                with(&breaker, move |breaker| fail(breaker, failing, START)),
                with(&breaker, move |breaker| {
                    succeed(breaker, succeeding, START);
                    succeed(breaker, admitted(breaker, START), START);
                }),
            ];
            all(threads);
            let Counts { calls, failures, .. } = breaker.counted_at(START);
            assert!(calls <= 3 && failures <= 1 && breaker.failures() <= 1, "{calls} calls, {failures} failures");
            quiesce(&breaker);
        });
    }
}

#[test]
fn a_new_place_for_a_probe_is_there_at_once() {
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

/// So many calls that nothing opens, ended in threads of their own, after one that has the window begin.
fn recorders(window: Window, moments: [Instant; 3]) {
    explore_some(500, 1, move || {
        let breaker = breaker(opens_at(9).failure_ratio(1.0).minimum_calls(9).window(window));
        succeed(&breaker, admitted(&breaker, START), START);
        let calls = [(); 4].map(|()| admitted(&breaker, START));
        let [first, second, third, fourth] = calls;
        let threads = [
            with(&breaker, move |breaker| fail(breaker, first, moments[0])),
            with(&breaker, move |breaker| succeed(breaker, second, moments[1])),
            with(&breaker, move |breaker| {
                succeed(breaker, third, moments[1]);
                succeed(breaker, fourth, moments[2]);
            }),
        ];
        all(threads);
        let Counts { calls, failures, .. } = breaker.counted_at(moments[2]);
        assert_eq!((calls, failures), (5, 1));
        quiesce(&breaker);
    });
}

#[test]
fn a_window_of_calls_loses_nothing() {
    recorders(Window::calls(9), [START; 3]);
}

#[test]
fn a_window_of_time_loses_nothing() {
    recorders(Window::time(Duration::from_secs(10)), [START; 3]);
    recorders(Window::time(Duration::from_secs(10)), [START, START.plus(SECOND), START.plus(2 * SECOND)]);
}

/// It would have to wait for the failure's lock to know that the pause is over.
#[test]
fn beside_the_first_failure_after_a_pause_a_window_of_time_may_miss_a_success_and_no_more() {
    explore(500, || {
        let ten_seconds = Window::time(Duration::from_secs(10));
        let breaker = breaker(opens_at(9).failure_ratio(1.0).minimum_calls(9).window(ten_seconds));
        let [failing, succeeding] = [(); 2].map(|()| admitted(&breaker, START));
        all([
            with(&breaker, move |breaker| fail(breaker, failing, START)),
            with(&breaker, move |breaker| succeed(breaker, succeeding, START)),
        ]);
        let Counts { calls, failures, .. } = breaker.counted_at(START);
        assert!((1..=2).contains(&calls) && failures == 1, "{calls} calls, {failures} failures");
        succeed(&breaker, admitted(&breaker, START), START);
        assert_eq!(breaker.counted_at(START).calls, calls + 1);
        quiesce(&breaker);
    });
}

#[test]
fn a_window_of_calls_is_clear_once_it_is_full_of_successes() {
    explore(500, || {
        let breaker = breaker(opens_at(9).failure_ratio(1.0).minimum_calls(2).window(Window::calls(2)));
        let calls = [(); 3].map(|()| admitted(&breaker, START));
        let [failing, one, other] = calls;
        fail(&breaker, failing, START);
        let threads = [one, other].map(|call| with(&breaker, move |breaker| succeed(breaker, call, START)));
        all(threads);
        let Counts { calls, failures, .. } = breaker.counted_at(START);
        assert_eq!((calls, failures, breaker.circuit().listens()), (2, 0, false));
    });
}

#[test]
fn a_call_in_passing_clears_the_failures_before_it() {
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
