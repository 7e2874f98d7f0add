//! The token bucket: who takes, waits, gives up, asks for quiet or changes the rate at the same time.

use super::{assert_caught, beside, end, explore, explore_some};
use crate::bucket::{Bucket, Token};
use crate::clock::Instant;
use crate::rate::Rate;
use crate::sync::thread::JoinHandle;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};

const SECOND: u64 = 1_000_000_000;
/// What conversions between rates may round off.
const ROUNDING: u64 = 100;

fn at(seconds: f64) -> Instant {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few seconds")]
    Instant::from_nanos((seconds * 1e9) as u64)
}

fn once_a_second(burst: u32) -> Arc<Bucket> {
    Arc::new(Bucket::new(None, Rate::per_second(1).burst(burst)))
}

/// What a thread does with the bucket.
fn with<R: Send + 'static>(bucket: &Arc<Bucket>, steps: impl FnOnce(&Bucket) -> R + Send + 'static) -> JoinHandle<R> {
    let bucket = Arc::clone(bucket);
    beside(move || steps(&bucket))
}

fn takes(bucket: &Bucket, seconds: f64) -> u64 {
    u64::from(bucket.take_and_spend(at(seconds)))
}

fn takes_all(bucket: &Bucket, seconds: f64) -> u64 {
    (0..100).map(|_| takes(bucket, seconds)).sum()
}

/// A slot that is used, however late it is.
fn slot(bucket: &Bucket, now: f64) -> u64 {
    let token = bucket.reserve(at(now), Instant::NEVER).expect("unlimited patience").carried();
    let at = token.at;
    token.spend();
    at.as_nanos()
}

/// When the next token is due, for who asks at the beginning: later, the more was taken.
fn due(bucket: &Bucket) -> u64 {
    bucket.refuses_for(at(0.0), 0).unwrap_or(0)
}

fn three_threads_share_a_burst() {
    explore_some(300, 2, || {
        let bucket = once_a_second(2);
        let threads = [10.0, 10.0, 10.0].map(|now| with(&bucket, move |bucket| takes(bucket, now)));
        assert_eq!(threads.map(end).iter().sum::<u64>(), 2);
    });
}

#[test]
fn of_three_threads_as_many_take_as_there_are_tokens() {
    three_threads_share_a_burst();
}

#[test]
fn seeded_a_word_that_is_stored_and_not_exchanged_is_caught() {
    assert_caught("bucket: plain store", three_threads_share_a_burst);
}

/// Threads that read the clock before they come to the word come in any order.
fn stale_times() {
    explore_some(100, 3, || {
        let bucket = once_a_second(3);
        let late = with(&bucket, |bucket| {
            let before = due(bucket);
            let taken = takes(bucket, 2.0);
            assert!(due(bucket) >= before, "the state went back");
            taken
        });
        let stale = with(&bucket, |bucket| {
            let before = due(bucket);
            let taken = takes(bucket, 1.0);
            assert!(due(bucket) >= before, "the state went back");
            taken
        });
        let taken = end(late) + end(stale) + takes_all(&bucket, 2.0);
        assert!((3..=4).contains(&taken), "{taken} within a second, of a burst of 3");
    });
}

#[test]
fn a_time_that_was_read_earlier_turns_nothing_back() {
    stale_times();
}

#[test]
fn seeded_the_callers_older_time_as_state_is_caught() {
    assert_caught("bucket: older time", stale_times);
}

/// One gives up its slot, one keeps it, one comes in passing: afterwards each second has one call, none has two and none is lost.
fn slots_and_who_gives_up() {
    explore_some(300, 2, || {
        let bucket = once_a_second(1);
        let gives_up = with(&bucket, |bucket| drop(bucket.reserve(at(0.0), Instant::NEVER)));
        let stays = with(&bucket, |bucket| slot(bucket, 0.0));
        let passes = with(&bucket, |bucket| takes(bucket, 0.0));
        end(gives_up);
        let mut slots = vec![end(stays)];
        if end(passes) == 1 {
            slots.push(0);
        }
        slots.extend((0..3).map(|_| slot(&bucket, 0.0)));
        slots.sort_unstable();
        assert!(slots.iter().copied().eq((0..).step_by(usize::try_from(SECOND).unwrap()).take(slots.len())), "{slots:?}");
    });
}

#[test]
fn a_slot_that_is_given_up_is_given_to_exactly_one_other() {
    slots_and_who_gives_up();
}

#[test]
fn seeded_a_slot_that_is_given_back_twice_is_caught() {
    assert_caught("bucket: given back twice", slots_and_who_gives_up);
}

fn everybody_gives_up() {
    explore_some(500, 2, || {
        let bucket = once_a_second(2);
        let threads = [0.0, 0.5].map(|now| with(&bucket, move |bucket| drop(bucket.reserve(at(now), Instant::NEVER))));
        let passes = with(&bucket, |bucket| takes(bucket, 0.0));
        let _ = threads.map(end);
        end(passes);
        let later = at(3_600.0);
        let left = (0..100).take_while(|_| bucket.reserve(later, later).map(Token::spend).is_ok()).count();
        assert_eq!(left, 2);
    });
}

#[test]
fn an_hour_after_everybody_gave_up_the_bucket_is_full() {
    everybody_gives_up();
}

#[test]
fn seeded_slots_of_long_ago_that_are_used_are_caught() {
    assert_caught("bucket: slots of long ago", everybody_gives_up);
}

#[test]
fn seeded_a_slot_that_is_given_back_for_another_that_was_used_is_caught() {
    assert_caught("bucket: used slot given back", slots_and_who_gives_up);
}

struct Bell(AtomicBool);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.swap(true, Ordering::Relaxed);
    }
}

/// Whoever sleeps towards a slot that has come nearer is woken.
fn sleepers() {
    explore_some(100, 3, || {
        let bucket = once_a_second(1);
        assert_eq!(takes(&bucket, 0.0), 1);
        let changer = with(&bucket, |bucket| {
            bucket.change_rate(Rate::per_second(100), at(0.0));
            bucket.wake();
        });
        let bell = Arc::new(Bell(AtomicBool::new(false)));
        let nap = bucket.nap();
        let token = bucket.reserve(at(0.0), Instant::NEVER).expect("unlimited patience");
        let nap = nap(token.at);
        let sleeper = nap.sleep(Waker::from(Arc::clone(&bell)));
        let lies_down = !nap.is_disturbed();
        end(changer);
        let has_come_nearer = Token::carried(token).at < nap.until;
        assert!(!lies_down || !has_come_nearer || bell.0.load(Ordering::Relaxed), "asleep until {:?}", nap.until);
        drop(sleeper);
    });
}

#[test]
fn a_new_rate_reaches_everybody_in_their_sleep() {
    sleepers();
}

#[test]
fn seeded_a_sleeper_that_does_not_look_again_is_caught() {
    assert_caught("bucket: lost wake-up", sleepers);
}

/// From the moment on at which a pause has been set until it is over nothing starts, and then no bunch does.
fn assert_quiet(bucket: &Bucket) {
    assert_eq!(takes(bucket, 5.0), 0, "in the pause");
}

fn assert_ends_without_a_bunch(bucket: &Bucket) {
    assert_eq!(takes(bucket, 9.999), 0, "in the pause");
    let due = bucket.reserve(at(10.0), at(10.0)).map(Token::spend);
    assert!(due.is_ok_and(|()| takes(bucket, 10.0) == 0), "after the pause exactly one");
}

fn pause_and_takes() {
    explore_some(500, 2, || {
        let bucket = once_a_second(3);
        let pauser = with(&bucket, |bucket| {
            bucket.pause(at(0.0), 10 * SECOND);
            assert_quiet(bucket);
        });
        let taker = with(&bucket, |bucket| takes(bucket, 0.0) + takes(bucket, 0.0));
        let held = bucket.take(at(0.0));
        end(pauser);
        end(taker);
        assert!(held.is_none_or(|token| token.is_stale(at(5.0))), "a token of before the pause starts nothing in it");
        assert_ends_without_a_bunch(&bucket);
    });
}

#[test]
fn a_pause_that_races_with_calls_holds() {
    pause_and_takes();
}

#[test]
fn seeded_a_pause_that_gives_way_to_a_call_is_caught() {
    assert_caught("bucket: a pause tries once", pause_and_takes);
}

fn pause_and_new_rate() {
    explore_some(500, 2, || {
        let bucket = once_a_second(3);
        let pauser = with(&bucket, |bucket| {
            bucket.pause(at(0.0), 10 * SECOND);
            assert_quiet(bucket);
        });
        let changer = with(&bucket, |bucket| bucket.change_rate(Rate::per_second(2).burst(2), at(0.0)));
        let taker = with(&bucket, |bucket| takes(bucket, 0.0));
        end(pauser);
        end(changer);
        end(taker);
        assert_ends_without_a_bunch(&bucket);
    });
}

#[test]
fn a_pause_that_races_with_a_new_rate_holds() {
    pause_and_new_rate();
}

#[test]
fn seeded_a_pause_that_a_new_rate_overwrites_is_caught() {
    assert_caught("bucket: unguarded pause", pause_and_new_rate);
}

/// The burst is made smaller while a server asks for a tenth of a second, and is as before when that is over.
fn pause_and_smaller_burst() {
    explore_some(300, 2, || {
        let bucket = once_a_second(3);
        let pauser = with(&bucket, |bucket| bucket.pause(at(0.0), SECOND / 10));
        let changer = with(&bucket, |bucket| bucket.change_rate(Rate::per_second(1).burst(1), at(0.0)));
        let taken = (0..3).map(|_| takes(&bucket, 0.0)).sum::<u64>();
        end(pauser);
        end(changer);
        bucket.change_rate(Rate::per_second(1).burst(3), at(0.2));
        assert!(taken + takes_all(&bucket, 0.2) <= 3, "{taken} before the pause");
    });
}

#[test]
fn what_was_taken_before_a_pause_stays_owed_whenever_the_burst_is_made_smaller() {
    pause_and_smaller_burst();
}

#[test]
fn seeded_a_pause_that_forgives_what_was_taken_is_caught() {
    assert_caught("bucket: a pause forgives", pause_and_smaller_burst);
}

/// Slots at 0, 1 and 2 s; the last is given up while the server asks for 2.5 s.
fn pause_and_who_gives_up() {
    explore(15, || {
        let bucket = once_a_second(1);
        assert_eq!([slot(&bucket, 0.0), slot(&bucket, 0.0)], [0, SECOND]);
        let lasting: &'static Bucket = Box::leak(Box::new(Arc::clone(&bucket)));
        let token = lasting.reserve(at(0.0), Instant::NEVER);
        let gives_up = beside(move || drop(token));
        let pauser = with(&bucket, |bucket| {
            bucket.pause(at(0.0), 2 * SECOND + SECOND / 2);
            assert_eq!(takes(bucket, 2.2), 0, "in the pause");
        });
        end(gives_up);
        end(pauser);
        assert_eq!(takes(&bucket, 2.4), 0, "in the pause");
        assert_eq!(takes(&bucket, 3.0), 1);
    });
}

#[test]
fn a_pause_that_races_with_a_slot_given_back_holds() {
    pause_and_who_gives_up();
}

#[test]
fn seeded_a_slot_that_is_given_back_into_a_pause_is_caught() {
    assert_caught("bucket: unguarded pause", pause_and_who_gives_up);
}

/// In any window not more than the larger burst and the larger rate allow, and every slot is somebody's.
fn new_rate_and_takes(before: u64, after: u64) {
    explore_some(300, 2, move || {
        let bucket = Arc::new(Bucket::new(None, Rate::per_second(before).burst(2)));
        let one = with(&bucket, |bucket| takes(bucket, 1.0) + takes(bucket, 2.0));
        let other = with(&bucket, |bucket| takes(bucket, 1.0));
        let changer = with(&bucket, move |bucket| bucket.change_rate(Rate::per_second(after).burst(2), at(1.0)));
        let mut taken = end(one) + end(other);
        end(changer);
        taken += takes_all(&bucket, 2.0);
        let most = 2 + before.max(after);
        assert!(taken <= most, "{taken} in a second");
        assert!(taken >= 2, "{taken} in a second");
    });
}

#[test]
fn a_higher_rate_gives_nobody_a_second_burst() {
    new_rate_and_takes(1, 2);
}

#[test]
fn a_lower_rate_gives_nobody_a_second_burst() {
    new_rate_and_takes(2, 1);
}

#[test]
fn seeded_a_new_rate_that_begins_with_a_full_bucket_is_caught() {
    assert_caught("bucket: new rate owes nothing", || new_rate_and_takes(1, 2));
}

/// Places in line are carried over, once each.
fn new_rate_and_slots() {
    explore_some(300, 2, || {
        let bucket = once_a_second(1);
        let changer = with(&bucket, |bucket| bucket.change_rate(Rate::per_second(2).burst(1), at(0.0)));
        let gives_up = with(&bucket, |bucket| drop(bucket.reserve(at(0.0), Instant::NEVER)));
        let held = bucket.reserve(at(0.0), Instant::NEVER).expect("unlimited patience");
        end(changer);
        end(gives_up);
        let held = held.carried();
        let mut slots = vec![held.at.as_nanos()];
        held.spend();
        slots.extend((0..2).map(|_| slot(&bucket, 0.0)));
        slots.sort_unstable();
        let expected = (0..).step_by(usize::try_from(SECOND / 2).unwrap());
        assert!(slots.iter().zip(expected).all(|(slot, due)| slot.abs_diff(due) <= ROUNDING), "{slots:?}");
    });
}

#[test]
fn a_new_rate_that_races_with_the_line_keeps_every_place_once() {
    new_rate_and_slots();
}

#[test]
fn seeded_calls_that_go_on_by_the_old_rate_are_caught() {
    assert_caught("bucket: an old word goes on", new_rate_and_slots);
    assert_caught("bucket: an old word goes on", || new_rate_and_takes(2, 1));
}
