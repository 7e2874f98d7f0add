//! One resource for each key: who comes first, who is forgotten, and what is kept of them.

use super::{assert_caught, beside, end, explore_some};
use crate::CircuitBreaker;
use crate::bucket::Bucket;
use crate::bulkhead::Bulkhead;
use crate::clock::{Instant, now};
use crate::keyed::{Family, Keyed, Peel as _};
use crate::plan::{Declared, Plan};
use crate::rate::Rate;
use crate::registry::{self, BucketSettings};
use crate::site::Site;
use crate::sync::{AtomicU32, Ordering};
use crate::testing::TurnedClock;
use std::sync::Arc;

const SECOND: u64 = 1_000_000_000;

type Function = &'static Plan<'static>;

/// A function that was called before, so that what is its own is there.
fn function(declare: fn(Declared) -> Declared) -> Function {
    registry::start_anew();
    Box::leak(Box::new(Site::new("keyed", file!(), line!(), declare))).plan()
}

/// One call of it, up to its body.
fn call<R>(function: Function, key: &str, kinds: u8, body: impl FnOnce(&Plan<'_>) -> R) -> R {
    let mut keyed = Keyed::new(function);
    keyed.find(key.resilient_peel(), kinds);
    body(&keyed.plan(function))
}

fn keys(function: Function) -> u32 {
    let families = &function.keyed;
    let breakers = families.breaker.map_or(0, Family::len);
    breakers + families.bucket.map_or(0, Family::len) + families.bulkhead.map_or(0, Family::len)
}

/// Whether the call has a place of its own and a token.
fn admits(plan: &Plan<'_>, now: Instant) -> bool {
    plan.keyed_bucket.is_some_and(|bucket| bucket.is_paid() || bucket.take_and_spend(now))
}

fn takes(function: Function, key: &str) -> u32 {
    call(function, key, Keyed::BUCKET, |plan| u32::from(admits(plan, now())))
}

fn drain(function: Function, key: &str) -> u32 {
    (0..100).take_while(|_| takes(function, key) == 1).map(|_| 1).sum()
}

/// Whether the key has a place now.
fn has_place(function: Function, key: &str) -> bool {
    call(function, key, Keyed::BUCKET, |plan| plan.keyed_bucket.is_some())
}

#[expect(clippy::large_types_passed_by_value, reason = "as a builder is")]
fn two_a_day(declared: Declared) -> Declared {
    declared.rate(Rate::per_day(1).burst(2)).bucket_keys(Some(1))
}

fn first_tokens() {
    explore_some(100, 1, || {
        let _clock = TurnedClock::start();
        let function = function(|declared| two_a_day(declared).bucket_keys(Some(2)));
        let threads = [(); 3].map(|()| beside(|| takes(function, "a")));
        assert_eq!(threads.map(end).iter().sum::<u32>(), 2, "of a burst of 2");
        assert_eq!((keys(function), drain(function, "a")), (1, 0));
    });
}

#[test]
fn first_calls_of_a_key_share_its_tokens() {
    first_tokens();
}

#[test]
fn seeded_a_new_key_that_is_not_looked_for_again_is_caught() {
    assert_caught("keyed: not looked for again", first_tokens);
}

/// A key that owes something keeps its place, however many others come.
fn new_keys_and_debts() {
    explore_some(100, 1, || {
        let _clock = TurnedClock::start();
        let function = function(two_a_day);
        let one = beside(|| takes(function, "a"));
        let passing = beside(|| has_place(function, "b"));
        let other = beside(|| takes(function, "a"));
        let taken = end(one) + end(other);
        end(passing);
        assert!(keys(function) <= 1, "{} keys", keys(function));
        let is_owed = taken > 0;
        assert!(!is_owed || !has_place(function, "b"), "a key in debt was forgotten");
        assert_eq!(taken + drain(function, "a"), 2, "of a burst of 2");
    });
}

#[test]
fn no_key_comes_to_a_fresh_burst_by_being_forgotten() {
    new_keys_and_debts();
}

#[test]
fn seeded_a_key_that_is_forgotten_with_its_debt_is_caught() {
    assert_caught("keyed: debt forgotten", new_keys_and_debts);
}

/// Functions that share a bucket: one takes its token in passing, the other holds its key's word, as it may come back.
fn passing_and_holding(rate: Rate) -> [Function; 2] {
    registry::start_anew();
    let site = |name, declare| -> Function { Box::leak(Box::new(Site::new(name, file!(), line!(), declare))).plan() };
    let functions = [
        site("passing", |declared| declared.bucket("shared").bucket_keys(Some(1))),
        site("holding", |declared| declared.bucket("shared").bucket_keys(Some(1)).retries(1).no_budget()),
    ];
    family(functions[0]).change(BucketSettings::of(Some(rate), None).with_max_keys(Some(1)));
    assert!(functions.iter().all(|function| has_place(function, "a")));
    functions
}

fn family(function: Function) -> &'static Family<Bucket> {
    function.keyed.bucket.unwrap_or_else(|| panic!("it has keys"))
}

/// A word that moves into a slot while it is held, and back.
fn held_and_paid() {
    explore_some(100, 1, || {
        let _clock = TurnedClock::start();
        let [passing, holding] = passing_and_holding(Rate::per_day(1).burst(3));
        let holders = [(); 2].map(|()| beside(|| takes(holding, "a")));
        let payer = beside(|| takes(passing, "a") + takes(passing, "a"));
        let taken = holders.map(end).iter().sum::<u32>() + end(payer);
        assert_eq!(taken, 3, "of a burst of 3");
        assert_eq!(drain(passing, "a") + drain(holding, "a"), 0);
    });
}

#[test]
fn what_a_key_owes_moves_with_it() {
    held_and_paid();
}

#[test]
fn seeded_a_debt_that_is_left_behind_is_caught() {
    assert_caught("keyed: debt left behind", held_and_paid);
}

/// Two types of keys have a table each, and one limit.
fn two_tables() {
    explore_some(100, 2, || {
        let _clock = TurnedClock::start();
        let function = function(two_a_day);
        let texts = beside(|| has_place(function, "a"));
        let numbers = beside(|| {
            let mut keyed = Keyed::new(function);
            keyed.find(7_u64.resilient_peel(), Keyed::BUCKET);
            assert!(keys(function) <= 1);
        });
        end(texts);
        end(numbers);
        assert!(keys(function) <= 1);
        // A few places are looked at for each new key.
        let finds_place = |key: &str| (0..4).any(|_| has_place(function, key));
        assert!(finds_place("b") && finds_place("c"), "idle keys make room");
        assert_eq!(keys(function), 1, "one for each key that is there");
    });
}

#[test]
fn keys_are_counted_as_they_come_and_go() {
    two_tables();
}

#[test]
fn seeded_a_key_that_goes_and_is_not_counted_is_caught() {
    assert_caught("keyed: not counted down", two_tables);
}

/// Fewer keys than before are allowed while some come: once others come there are no more than that.
fn fewer_keys() {
    explore_some(100, 1, || {
        let _clock = TurnedClock::start();
        let settings = |max_keys| BucketSettings::of(Some(Rate::per_day(1)), None).with_max_keys(Some(max_keys));
        let function = function(|declared| declared.rate(Rate::per_day(1)).bucket_keys(Some(3)));
        assert!(has_place(function, "old"));
        let changer = beside(move || family(function).change(settings(1)));
        let comers = ["a", "b"].map(|key| beside(move || has_place(function, key)));
        end(changer);
        let _ = comers.map(end);
        assert!(keys(function) <= 3);
        for key in ["c", "d", "e", "f"] {
            has_place(function, key);
        }
        assert_eq!(keys(function), 1);
    });
}

#[test]
fn when_fewer_keys_are_allowed_there_soon_are_no_more() {
    fewer_keys();
}

#[test]
fn seeded_keys_that_stay_too_many_are_caught() {
    assert_caught("keyed: too many stay", fewer_keys);
}

/// At one instant the burst is all that anybody has, by whichever rate.
fn new_rate() {
    explore_some(100, 2, || {
        let _clock = TurnedClock::start();
        let [passing, holding] = passing_and_holding(Rate::per_day(1).burst(2));
        let changer = beside(|| family(passing).change(BucketSettings::of(Some(Rate::per_day(4).burst(2)), None)));
        let takers = [passing, holding].map(|function| beside(|| takes(function, "a")));
        end(changer);
        let taken = takers.map(end).iter().sum::<u32>();
        assert_eq!(taken + drain(passing, "a") + drain(holding, "a"), 2, "of a burst of 2");
    });
}

#[test]
fn a_new_rate_gives_no_key_a_second_burst() {
    new_rate();
}

#[test]
fn seeded_a_slot_that_goes_on_by_the_old_rate_is_caught() {
    assert_caught("keyed: no stand-in", new_rate);
}

/// A server asks for quiet while another call has just found that the key needs a full bucket.
fn pause() {
    explore_some(200, 2, || {
        let _clock = TurnedClock::start();
        let function = function(|declared| declared.rate(Rate::per_second(1).burst(3)).bucket_keys(Some(1)));
        assert!(has_place(function, "a"));
        let start = now();
        let pauser = beside(move || {
            call(function, "a", Keyed::BUCKET, |plan| {
                let full = plan.bucket().unwrap_or_else(|| unreachable!("it has one"));
                full.pause(start, 10 * SECOND);
                assert!(!full.take_and_spend(start.plus(5 * SECOND)), "in the pause");
            });
        });
        let waiter = beside(move || {
            call(function, "a", Keyed::BUCKET, |plan| {
                admits(plan, start);
                let full = plan.bucket().unwrap_or_else(|| unreachable!("it has one"));
                full.take_and_spend(start)
            })
        });
        end(pauser);
        end(waiter);
        let late = |nanos: u64| call(function, "a", Keyed::BUCKET, |plan| plan.takes_by_key(start.plus(nanos)));
        assert!(!late(10 * SECOND - 1), "in the pause");
        assert!(late(10 * SECOND) && !late(10 * SECOND), "after the pause exactly one");
    });
}

#[test]
fn a_pause_holds_for_its_key_whoever_makes_the_bucket_that_can_pause() {
    pause();
}

#[test]
fn seeded_a_stand_in_that_is_not_asked_is_caught() {
    assert_caught("keyed: a stand-in is not asked", new_rate);
    assert_caught("keyed: a stand-in is not asked", pause);
}

#[test]
fn seeded_a_pause_that_a_stand_in_overwrites_is_caught() {
    assert_caught("bucket: unguarded pause", pause);
}

/// Two keys of which there may be two, and one of old that is in the way.
fn places() {
    explore_some(100, 1, || {
        let function = function(|declared| declared.concurrency(1).bulkhead_keys(Some(2)));
        let running = Arc::new(AtomicU32::new(0));
        call(function, "old", Keyed::BULKHEAD, |_| ());
        let ours = [(); 2].map(|()| {
            let running = Arc::clone(&running);
            beside(move || {
                call(function, "a", Keyed::BULKHEAD, |plan| {
                    let place = plan.bulkhead.and_then(Bulkhead::try_acquire);
                    if place.is_some() {
                        assert_eq!(running.fetch_add(1, Ordering::Relaxed), 0, "two calls in one place");
                        running.fetch_sub(1, Ordering::Relaxed);
                    }
                    place.is_some()
                })
            })
        });
        let other = beside(move || {
            call(function, "b", Keyed::BULKHEAD, |plan| plan.bulkhead.is_some_and(|bulkhead| bulkhead.try_acquire().is_some()))
        });
        let [one, two] = ours.map(end);
        assert!(one || two, "somebody had the place");
        assert!(end(other), "a key of its own has a place of its own");
        assert!(keys(function) <= 2);
        let is_free = |key: &str| {
            call(function, key, Keyed::BULKHEAD, |plan| plan.bulkhead.is_some_and(|bulkhead| bulkhead.try_acquire().is_some()))
        };
        assert!(is_free("a") && is_free("b"), "no place is lost");
    });
}

#[test]
fn calls_of_one_key_meet_in_one_bulkhead() {
    places();
}

#[test]
fn seeded_a_place_that_is_taken_from_a_key_in_use_is_caught() {
    assert_caught("keyed: evicted in use", places);
}

/// What a key suffered is known for as long as its circuit is not closed.
fn open_circuits() {
    explore_some(100, 2, || {
        let _clock = TurnedClock::start();
        let function =
            function(|declared| declared.breaker("keyed model", CircuitBreaker::new().failure_threshold(1)).breaker_keys(Some(1)));
        let failing = beside(|| {
            call(function, "a", Keyed::BREAKER, |plan| {
                let Some(breaker) = plan.breaker else { return false };
                let permit = breaker.admit(now(), None);
                permit.is_ok_and(|permit| {
                    permit.fail(now(), now(), 0);
                    true
                })
            })
        });
        let passing = beside(|| {
            call(function, "b", Keyed::BREAKER, |plan| plan.breaker.is_none_or(|breaker| breaker.admit(now(), None).is_ok()))
        });
        let has_failed = end(failing);
        assert!(end(passing), "another key's circuit is open");
        assert!(keys(function) <= 1);
        let is_open =
            call(function, "a", Keyed::BREAKER, |plan| plan.breaker.is_some_and(|breaker| breaker.admit(now(), None).is_err()));
        assert_eq!(is_open, has_failed, "an open circuit is not forgotten");
    });
}

#[test]
fn an_open_circuit_keeps_its_key() {
    open_circuits();
}

#[test]
fn seeded_an_open_circuit_that_is_forgotten_is_caught() {
    assert_caught("keyed: an open circuit is forgotten", open_circuits);
    assert_caught("keyed: evicted in use", open_circuits);
}
