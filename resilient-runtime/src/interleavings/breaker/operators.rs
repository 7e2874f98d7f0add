//! What an operator does holds, and nobody sees it half done.

use super::super::told::{times, told};
use super::super::{assert_caught, explore, explore_some};
use super::{EVERY, LONG_AFTER, Late, PROBING, START};
use super::{admitted, all, breaker, end, fail, is_closed, opens_at, quiesce, succeed, trip, with};
use crate::State;
use crate::breaker::Breaker;
use crate::testing::TurnedClock;

/// What an operator does holds, whatever a call of before does at the same time. Only what needs a reset is reset before the end.
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
        end_of_force(&breaker);
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
        end_of_force(&breaker);
    });
}

fn end_of_force(breaker: &Breaker) {
    if !is_closed(breaker) {
        breaker.reset();
    }
    quiesce(breaker);
}

fn forced_open() {
    operator(Breaker::force_open, |breaker| breaker.admit(LONG_AFTER, None).map(drop) == Err(None));
}

fn disabled() {
    operator(Breaker::disable, |breaker| !is_closed(breaker) && breaker.lets_pass());
}

fn reset() {
    operator(Breaker::reset, |breaker| is_closed(breaker) && breaker.is_clean(START));
}

#[test]
fn forced_open_it_stays_open() {
    forced_open();
}

#[test]
fn disabled_it_stays_disabled() {
    disabled();
}

#[test]
fn reset_it_is_closed_and_clean() {
    reset();
}

#[test]
fn seeded_results_that_undo_what_an_operator_did_are_caught() {
    for operator in [forced_open, disabled, reset] {
        assert_caught("a second trip", operator);
    }
    assert_caught("generations are not compared", forced_open);
}

/// Whatever trips, probes, answers late and is reset at the same time, the circuit does not stay shut.
fn everybody_at_once(probe_ends: Late) {
    explore_some(200, 1, move || {
        let breaker = breaker(opens_at(1).success_threshold(1));
        let [tripping, late] = [(); 2].map(|()| admitted(&breaker, START));
        let threads = [
            with(&breaker, move |breaker| fail(breaker, tripping, START)),
            with(&breaker, move |breaker| {
                if let Ok(permit) = breaker.admit(PROBING, None) {
                    probe_ends.arrives(breaker, permit.loose());
                }
            }),
            with(&breaker, move |breaker| succeed(breaker, late, PROBING)),
        ];
        breaker.reset();
        all(threads);
        quiesce(&breaker);
    });
}

fn trip_probe_late_success_and_reset() {
    for ends in EVERY {
        everybody_at_once(ends);
    }
}

#[test]
fn whoever_trips_probes_is_late_and_resets_a_circuit_is_never_stuck() {
    trip_probe_late_success_and_reset();
}

#[test]
fn seeded_a_circuit_that_is_stuck_is_caught() {
    assert_caught("a reset takes the time away late", trip_probe_late_success_and_reset);
}

/// What is told last is what holds.
fn operators() {
    explore(50, || {
        let _clock = TurnedClock::start();
        let breaker = breaker(opens_at(1));
        trip(&breaker, START);
        let threads = [with(&breaker, Breaker::force_open), with(&breaker, Breaker::reset)];
        all(threads);
        let expected = match breaker.state() {
            State::ForcedOpen => "circuit_forced_open",
            State::Closed => "circuit_reset",
            other => unreachable!("{other:?}"),
        };
        assert_eq!(told().last().map(|told| told.name), Some(expected));
        end_of_force(&breaker);
    });
}

#[test]
fn operators_at_once_leave_what_one_of_them_wants() {
    operators();
}

#[test]
fn seeded_what_is_told_in_another_order_is_caught() {
    assert_caught("whoever comes first tells first", operators);
}

fn open_until(acts: fn(&Breaker), state: State) {
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

#[test]
fn an_open_circuit_is_not_half_open_before_it_is_reset_or_forced() {
    open_until(Breaker::reset, State::Closed);
    open_until(Breaker::force_open, State::ForcedOpen);
}

#[test]
fn seeded_a_time_that_is_taken_back_before_the_state_is_caught() {
    assert_caught("the time is taken back before the state", || open_until(Breaker::reset, State::Closed));
    assert_caught("the time is taken back before the state", || open_until(Breaker::force_open, State::ForcedOpen));
}
