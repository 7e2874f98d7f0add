//! The bulkhead: its word, and the queue beside it.

use super::{assert_caught, beside, explore, explore_some};
use crate::blocking::stand_in_line;
use crate::bulkhead::{Bulkhead, Concurrency, Slot, Unpark};
use crate::clock::{Instant, now};
use crate::sync::thread::{self, JoinHandle};
use crate::testing::TurnedClock;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Waker;

/// With the number of calls that are inside, and were at most, which no model has a say in.
struct Guarded {
    bulkhead: Bulkhead,
    inside: AtomicU32,
    peak: AtomicU32,
}

impl Guarded {
    fn with(calls: u32) -> Arc<Self> {
        let bulkhead = Bulkhead::new(None, Concurrency::limit(calls));
        Arc::new(Self { bulkhead, inside: AtomicU32::new(0), peak: AtomicU32::new(0) })
    }

    /// One whose places are all taken, by calls that others end.
    fn full(calls: u32) -> Arc<Self> {
        let guarded = Self::with(calls);
        for _ in 0..calls {
            std::mem::forget(guarded.bulkhead.try_acquire().expect("free"));
        }
        guarded.inside.store(calls, Ordering::Relaxed);
        guarded
    }

    /// A body, in which others get a turn.
    fn run(&self, slot: Slot<'_>) {
        let inside = self.inside.fetch_add(1, Ordering::Relaxed) + 1;
        self.peak.fetch_max(inside, Ordering::Relaxed);
        let _ = self.bulkhead.in_flight();
        self.inside.fetch_sub(1, Ordering::Relaxed);
        slot.release();
    }

    /// Ends one of the calls that were there.
    fn end_one(&self) {
        self.inside.fetch_sub(1, Ordering::Relaxed);
        drop(self.bulkhead.taken());
    }

    fn wait_and_run(&self) {
        let slot = self.bulkhead.try_acquire().or_else(|| stand_in_line(&self.bulkhead, Instant::NEVER));
        self.run(slot.expect("it waits for ever"));
    }

    /// Nobody is inside or waits, and all the places are there.
    fn quiesce(&self) {
        let calls = self.bulkhead.limit();
        assert!(self.bulkhead.is_empty(), "{} in flight, {} wait", self.bulkhead.in_flight(), self.bulkhead.waiting());
        let slots: Vec<_> = (0..calls).map_while(|_| self.bulkhead.try_acquire()).collect();
        let more = self.bulkhead.try_acquire();
        assert_eq!((slots.len(), more.is_none()), (calls as usize, true));
    }
}

fn with(guarded: &Arc<Guarded>, steps: impl FnOnce(&Guarded) + Send + 'static) -> JoinHandle<()> {
    let guarded = Arc::clone(guarded);
    beside(move || steps(&guarded))
}

fn all<const N: usize>(threads: [JoinHandle<()>; N]) {
    for thread in threads {
        thread.join().expect("no panic");
    }
}

fn newcomers(calls: u32) {
    explore_some(2000, 2, move || {
        let guarded = Guarded::with(calls);
        let threads = [(); 3].map(|()| {
            with(&guarded, |guarded| {
                if let Some(slot) = guarded.bulkhead.try_acquire() {
                    guarded.run(slot);
                }
            })
        });
        all(threads);
        assert!(guarded.peak.load(Ordering::Relaxed) <= calls);
        guarded.quiesce();
    });
}

#[test]
fn there_are_never_more_inside_than_the_limit() {
    newcomers(1);
    newcomers(2);
}

#[test]
fn seeded_one_more_than_the_limit_is_caught() {
    assert_caught("one more than the limit", || newcomers(1));
}

fn waiters() {
    explore_some(2500, 2, || {
        let guarded = Guarded::with(1);
        all([(); 3].map(|()| with(&guarded, Guarded::wait_and_run)));
        assert_eq!(guarded.peak.load(Ordering::Relaxed), 1);
        guarded.quiesce();
    });
}

#[test]
fn whoever_waits_gets_a_turn() {
    waiters();
}

#[test]
fn seeded_a_place_in_the_queue_without_another_look_is_caught() {
    assert_caught("nobody looks again before queueing", waiters);
}

/// One call ends, one waiter gives up, and another one waits behind it or before it.
fn giving_up() {
    explore_some(2000, 2, || {
        let guarded = Guarded::full(1);
        let threads = [
            with(&guarded, Guarded::end_one),
            with(&guarded, |guarded| match guarded.bulkhead.enqueue(Waker::noop().clone()) {
                Ok(slot) => guarded.run(slot),
                Err(place) => drop(place),
            }),
            with(&guarded, Guarded::wait_and_run),
        ];
        all(threads);
        assert!(guarded.peak.load(Ordering::Relaxed) <= 1);
        guarded.quiesce();
    });
}

#[test]
fn a_place_that_is_given_up_while_it_is_granted_goes_to_the_next() {
    giving_up();
}

#[test]
fn seeded_a_grant_to_a_waiter_that_is_gone_is_caught() {
    assert_caught("a grant to who is gone is lost", giving_up);
}

fn patience() {
    explore_some(2000, 2, || {
        let _clock = TurnedClock::start();
        let guarded = Guarded::full(1);
        let in_time = |guarded: &Guarded| {
            let until = now().plus(1_000_000_000);
            if let Some(slot) = stand_in_line(&guarded.bulkhead, until) {
                guarded.run(slot);
            }
        };
        all([with(&guarded, Guarded::end_one), with(&guarded, in_time), with(&guarded, in_time)]);
        assert!(guarded.peak.load(Ordering::Relaxed) <= 1);
        guarded.quiesce();
    });
}

#[test]
fn a_waiter_whose_time_is_over_leaves_every_place_behind() {
    patience();
}

#[test]
fn seeded_a_waiter_that_gave_up_and_is_counted_is_caught() {
    assert_caught("who is gone is counted", patience);
}

#[test]
fn seeded_a_grant_to_a_waiter_whose_time_is_over_is_caught() {
    assert_caught("a grant to who is gone is lost", patience);
}

fn overtaking() {
    explore(450, || {
        let guarded = Guarded::full(1);
        let place = guarded.bulkhead.enqueue(Waker::noop().clone()).expect_err("full");
        let newcomer = |guarded: &Guarded| assert!(guarded.bulkhead.try_acquire().is_none());
        all([with(&guarded, Guarded::end_one), with(&guarded, newcomer)]);
        guarded.run(place.take().expect("granted"));
        guarded.quiesce();
    });
}

#[test]
fn a_newcomer_never_overtakes_a_waiter() {
    overtaking();
}

#[test]
fn seeded_a_newcomer_that_overtakes_is_caught() {
    assert_caught("a newcomer overtakes", overtaking);
}

/// A task may be polled by another waker than before.
fn two_wakers() {
    explore(200, || {
        let guarded = Guarded::full(1);
        let waiting = |guarded: &Guarded| {
            let mut place = match guarded.bulkhead.enqueue(Waker::noop().clone()) {
                Ok(slot) => return guarded.run(slot),
                Err(place) => place,
            };
            place.wake(&Unpark::waker());
            loop {
                match place.take() {
                    Ok(slot) => return guarded.run(slot),
                    Err(waiting) => place = waiting,
                }
                thread::park();
            }
        };
        all([with(&guarded, Guarded::end_one), with(&guarded, waiting)]);
        guarded.quiesce();
    });
}

#[test]
fn a_waiter_is_woken_by_its_latest_waker() {
    two_wakers();
}

#[test]
fn seeded_a_waker_of_before_that_is_woken_is_caught() {
    assert_caught("the first waker is woken", two_wakers);
}

fn higher_limit() {
    explore(600, || {
        let guarded = Guarded::full(1);
        let raising = |guarded: &Guarded| {
            guarded.bulkhead.change_limit(Concurrency::limit(2));
            guarded.bulkhead.wake();
        };
        all([with(&guarded, raising), with(&guarded, Guarded::wait_and_run)]);
        assert_eq!(guarded.peak.load(Ordering::Relaxed), 2);
        guarded.end_one();
        guarded.quiesce();
    });
}

#[test]
fn a_higher_limit_admits_who_waits() {
    higher_limit();
}

#[test]
fn seeded_a_higher_limit_that_wakes_nobody_is_caught() {
    assert_caught("a new limit wakes nobody", higher_limit);
}

fn lower_limit() {
    explore_some(2500, 2, || {
        let guarded = Guarded::full(2);
        let lowering = |guarded: &Guarded| {
            guarded.bulkhead.change_limit(Concurrency::limit(1));
            guarded.bulkhead.wake();
        };
        let threads = [
            with(&guarded, lowering),
            with(&guarded, |guarded| {
                guarded.end_one();
                guarded.end_one();
            }),
            with(&guarded, Guarded::wait_and_run),
        ];
        all(threads);
        assert!(guarded.peak.load(Ordering::Relaxed) <= 2);
        guarded.quiesce();
    });
}

#[test]
fn a_lower_limit_holds_once_the_calls_before_it_have_ended() {
    lower_limit();
}

#[test]
fn seeded_a_place_in_the_queue_of_a_lower_limit_without_another_look_is_caught() {
    assert_caught("nobody looks again before queueing", lower_limit);
}

/// Calls that all had a place end at once, and it is not two that come in.
fn lower_limit_and_line() {
    explore(20, || {
        let guarded = Guarded::full(2);
        let [first, second] = [(); 2].map(|()| guarded.bulkhead.enqueue(Waker::noop().clone()).expect_err("full"));
        guarded.bulkhead.change_limit(Concurrency::limit(1));
        guarded.bulkhead.wake();
        all([(); 2].map(|()| with(&guarded, Guarded::end_one)));
        let second = second.take().expect_err("one is inside");
        guarded.run(first.take().expect("granted"));
        guarded.run(second.take().expect("granted"));
        guarded.quiesce();
    });
}

#[test]
fn a_lower_limit_holds_for_who_waits() {
    lower_limit_and_line();
}

#[test]
fn seeded_a_waiter_that_gets_one_place_more_is_caught() {
    assert_caught("a waiter gets one more", lower_limit_and_line);
    assert_caught("a waiter gets one more", waiters);
}
