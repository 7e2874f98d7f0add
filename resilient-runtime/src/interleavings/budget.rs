//! The retry budget, and chains of them.

use super::{assert_caught, beside, end, explore_some};
use crate::budget::{Budget, RetryBudget};
use crate::clock::now;
use crate::pools::{self, Pools};
use crate::testing::TurnedClock;

/// One success earns half a retry, and time as good as none.
const SETTINGS: RetryBudget = RetryBudget::new().ratio(0.5).per_second(0.001);

fn pool(retries: u32) -> &'static Budget {
    Box::leak(Box::new(Budget::new(SETTINGS.pool(retries))))
}

fn takes(budget: &Budget) -> u32 {
    u32::from(budget.take(now()))
}

fn drain(budget: &Budget) -> u32 {
    (0..100).take_while(|_| budget.take(now())).map(|_| 1).sum()
}

fn last_retry() {
    explore_some(300, 2, || {
        let _clock = TurnedClock::start();
        let budget = pool(2);
        let threads = [(); 3].map(|()| beside(|| takes(budget)));
        assert_eq!(threads.map(end).iter().sum::<u32>(), 2);
        assert_eq!(drain(budget), 0);
    });
}

#[test]
fn as_many_retries_are_made_as_the_pool_has() {
    last_retry();
}

#[test]
fn seeded_a_pool_that_is_read_and_then_written_is_caught() {
    assert_caught("budget: load then store", last_retry);
}

/// Four successes earn two retries, whoever spends them.
fn earnings() {
    explore_some(100, 1, || {
        let _clock = TurnedClock::start();
        let budget = pool(2);
        assert_eq!(drain(budget), 2);
        let earners = [(); 2].map(|()| {
            beside(|| {
                budget.earn(now());
                budget.earn(now());
            })
        });
        let spender = beside(|| takes(budget) + takes(budget));
        let _ = earners.map(end);
        assert_eq!(end(spender) + drain(budget), 2);
    });
}

#[test]
fn retries_are_as_many_as_successes_earned() {
    earnings();
}

#[test]
fn seeded_earnings_that_are_lost_are_caught() {
    assert_caught("budget: load then store", earnings);
}

/// A full pool earns nothing, and what is put back after that is not there twice.
fn cap() {
    explore_some(100, 1, || {
        let _clock = TurnedClock::start();
        let budget = pool(2);
        let spender = beside(|| takes(budget));
        let earner = beside(|| (0..2).for_each(|_| budget.earn(now())));
        let hesitant = beside(|| {
            if budget.take(now()) {
                budget.put_back();
            }
        });
        end(spender);
        end(earner);
        end(hesitant);
        let left = drain(budget);
        assert!((1..=2).contains(&left), "{left} of a pool of 2");
    });
}

#[test]
fn a_pool_never_holds_more_than_it_may() {
    cap();
}

#[test]
fn seeded_a_pool_that_saves_beyond_its_end_is_caught() {
    assert_caught("budget: more than full", cap);
}

fn chained(own: &'static Budget, outer: &'static Budget) -> &'static Pools {
    let alone = |budget: &'static Budget| budget.pools().unwrap_or_else(|| unreachable!("it has an end"));
    alone(outer).with(alone(own))
}

/// Two calls in one: the outer pool has one retry, each inner one has two.
fn chain() {
    explore_some(200, 2, || {
        let _clock = TurnedClock::start();
        let (outer, owns) = (pool(1), [pool(2), pool(2)]);
        let threads = owns.map(|own| beside(move || pools::take(own, Some(chained(own, outer)), now())));
        let [one, other] = threads.map(end);
        assert!(one != other, "the last retry of the outer pool was given to {one} and {other}");
        assert_eq!(owns.map(drain), [one, other].map(|has| if has { 1 } else { 2 }), "who is refused pays nothing");
        assert_eq!(drain(outer), 0);
    });
}

#[test]
fn of_two_nested_calls_one_has_the_last_retry_and_the_other_pays_nothing() {
    chain();
}

#[test]
fn seeded_a_refused_retry_that_is_paid_is_caught() {
    assert_caught("budget: not put back", chain);
}

fn one_chain() {
    explore_some(100, 1, || {
        let _clock = TurnedClock::start();
        let (outer, own) = (pool(1), pool(1));
        let threads = [(); 3].map(|()| beside(|| std::ptr::from_ref(chained(own, outer)).addr()));
        let [first, second, third] = threads.map(end);
        assert!(first == second && second == third, "one chain, made once");
    });
}

#[test]
fn threads_that_meet_make_one_chain() {
    one_chain();
}

#[test]
fn seeded_a_chain_that_is_looked_for_and_then_made_is_caught() {
    assert_caught("pools: a look, then a chain", one_chain);
}

/// What was taken stays taken in retries, by whichever terms: a change gives nobody a second pool, and takes nobody's away.
fn new_terms(before: f64, after: f64) {
    explore_some(100, 1, move || {
        let _clock = TurnedClock::start();
        let settings = |per_second| RetryBudget::new().per_second(per_second).ratio(0.5).pool(2);
        let budget: &Budget = Box::leak(Box::new(Budget::new(settings(before))));
        let changer = beside(move || budget.change(settings(after)));
        let spenders = [2, 1].map(|times| beside(move || (0..times).map(|_| takes(budget)).sum::<u32>()));
        end(changer);
        let spent = spenders.map(end).iter().sum::<u32>() + drain(budget);
        assert_eq!(spent, 2, "of a pool of 2, while {before} a second became {after}");
    });
}

#[test]
fn a_pool_that_fills_faster_from_now_on_is_not_full_for_that() {
    new_terms(1.0, 1_000.0);
}

#[test]
fn a_pool_that_fills_slower_from_now_on_is_not_empty_for_that() {
    new_terms(1_000.0, 1.0);
}

#[test]
fn seeded_terms_that_are_mixed_are_caught() {
    assert_caught("budget: mixed terms", || new_terms(1.0, 1_000.0));
}
