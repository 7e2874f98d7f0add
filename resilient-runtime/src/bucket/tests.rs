mod accuracy;

use super::*;
use std::sync::atomic::AtomicU64 as Clock;

const SECOND: u64 = 1_000_000_000;

fn at(nanos: u64) -> Instant {
    Instant::from_nanos(nanos)
}

fn bucket(rate: Rate) -> Bucket {
    assert_eq!(rate.problem(), None);
    Bucket::new(None, rate)
}

fn take_all(bucket: &Bucket, now: Instant) -> u64 {
    let mut taken = 0;
    while let Some(token) = bucket.take(now) {
        token.spend();
        taken += 1;
    }
    taken
}

#[test]
fn after_any_idleness_exactly_the_burst_goes_at_once() {
    for burst in [1, 2, 3, 4, 5, 1_000] {
        let bucket = bucket(Rate::per_second(10).burst(burst));
        let mut now = 0;
        for idle in [0, 1, 60 * SECOND, 3_600 * SECOND, 10 * 365 * 86_400 * SECOND] {
            now += idle + u64::from(burst) * SECOND / 10;
            assert_eq!(take_all(&bucket, at(now)), u64::from(burst), "after {idle}");
        }
    }
}

#[test]
fn a_refusal_names_the_moment_at_which_it_would_be_admitted_and_not_before() {
    for rate in [Rate::per_second(3), Rate::per_second(10).burst(4), Rate::per_minute(7), Rate::per_day(1), Rate::per_second(6_000)]
    {
        let bucket = bucket(rate);
        let now = at(5 * SECOND);
        take_all(&bucket, now);
        let due = bucket.reserve(now, now).map(Token::spend).expect_err("the bucket is empty");
        assert!(due > now);
        assert!(bucket.take(at(due.as_nanos() - 1)).is_none(), "{rate}");
        assert!(bucket.take(due).is_some(), "{rate}");
    }
}

#[test]
fn every_rate_is_exact_over_a_long_time() {
    for (count, period) in
        [(1, 86_400 * SECOND), (1, 7 * SECOND), (9, SECOND), (7_999, SECOND), (1_000_000, SECOND), (999_999_937, SECOND)]
    {
        let bucket = bucket(Rate::per(count, Duration::from_nanos(period)).burst(1));
        let thirty_years = 30 * 365 * 86_400 * SECOND;
        let (start, calls) = (at(period), (thirty_years / (period / count)).min(50_000));
        let mut last = start;
        for _ in 0..calls {
            let token = bucket.reserve(start, Instant::NEVER).expect("unlimited patience");
            last = token.at;
            token.spend();
        }
        let exact = (u128::from(calls - 1) * u128::from(period)).div_ceil(u128::from(count));
        assert!(u128::from(last.since(start)).abs_diff(exact) <= 1, "{count} per {period}: {} for {exact}", last.since(start));
    }
}

#[test]
fn waiters_are_given_slots_in_order_one_interval_apart() {
    let bucket = bucket(Rate::per_second(10));
    let slots: Vec<_> = (0..5)
        .map(|_| bucket.reserve(at(0), Instant::NEVER).map(|token| (token.at, token.spend()).0.as_nanos()).unwrap_or_default())
        .collect();
    assert_eq!(slots, [0, SECOND / 10, 2 * SECOND / 10, 3 * SECOND / 10, 4 * SECOND / 10]);
}

#[test]
fn a_slot_too_far_away_is_refused_at_once_and_takes_nothing() {
    let bucket = bucket(Rate::per_second(1));
    assert_eq!(take_all(&bucket, at(0)), 1);
    assert_eq!(bucket.reserve(at(0), at(SECOND - 1)).map(Token::spend), Err(at(SECOND)));
    assert_eq!(bucket.reserve(at(0), at(SECOND - 1)).map(Token::spend), Err(at(SECOND)));
    assert!(bucket.reserve(at(0), at(SECOND)).map(Token::spend).is_ok());
}

#[test]
fn what_callers_who_gave_up_had_reserved_is_used_by_the_next() {
    let bucket = bucket(Rate::per_second(10));
    let mut waiters: Vec<_> = (0..4).filter_map(|_| bucket.reserve(at(0), Instant::NEVER).ok()).collect();
    waiters.swap_remove(0).spend();
    drop(waiters.swap_remove(0));
    drop(waiters.swap_remove(0));
    drop(waiters);
    let next: Vec<_> = (0..3)
        .filter_map(|_| bucket.reserve(at(0), Instant::NEVER).ok())
        .map(|token| (token.at.as_nanos(), token.spend()).0)
        .collect();
    assert_eq!(next, [SECOND / 10, 2 * SECOND / 10, 3 * SECOND / 10]);
}

#[test]
fn under_heavy_abandonment_at_least_nine_tenths_of_the_rate_are_used() {
    let bucket = bucket(Rate::per_second(100).burst(1));
    let mut waiting: Vec<(Token<'_>, bool)> = Vec::new();
    let mut started = 0_u64;
    for step in 0..10_000_u64 {
        let now = at(step * SECOND / 1_000);
        let (due, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(token, _)| token.at <= now);
        waiting = later;
        for (token, _) in due {
            started += 1;
            token.spend();
        }
        waiting.retain(|(_, gives_up)| !gives_up);
        for caller in 0..2 {
            if let Ok(token) = bucket.reserve(now, now.plus(SECOND)) {
                waiting.push((token, (step + caller) % 4 != 0));
            }
        }
    }
    assert!(started <= 1_001, "{started}");
    assert!(started >= 900, "{started}");
}

#[test]
fn it_is_idle_once_it_is_full_and_no_slot_is_left_that_anybody_could_use() {
    let bucket = bucket(Rate::per_second(1_000).burst(1));
    let mut waiting: Vec<_> = (0..3).filter_map(|_| bucket.reserve(at(0), Instant::NEVER).ok()).collect();
    drop(waiting.remove(1));
    waiting.into_iter().for_each(Token::spend);
    assert!(!bucket.is_idle(at(2_999_000)), "it owes a call");
    assert!(!bucket.is_idle(at(3_000_000)), "a slot is left");
    assert!(!bucket.is_idle(at(11_000_000)), "a slot is left");
    assert!(bucket.is_idle(at(11_000_001)));
    assert_eq!(take_all(&bucket, at(11_000_001)), 1);
}

#[test]
fn why_there_was_no_token_is_said_in_words() {
    let not_yet = TryAcquireError::NotYet { retry_after: Duration::from_millis(5) };
    assert_eq!(not_yet.to_string(), "no token yet; try again in 5ms");
    let impossible = TryAcquireError::Impossible { asked: 3, burst: 2 };
    assert_eq!(impossible.to_string(), "3 tokens at once can never be had: ask for 1 to 2, the bucket's burst");
}

#[test]
fn a_token_used_too_late_is_stale() {
    let bucket = bucket(Rate::per_second(10));
    let token =
        bucket.take(at(SECOND)).map(|token| (token.is_stale(at(SECOND + 110_000_000)), token.is_stale(at(SECOND + 110_000_001))));
    assert_eq!(token, Some((false, true)));
}

#[test]
fn a_pause_holds_everybody_and_ends_without_a_bunch() {
    let bucket = bucket(Rate::per_second(10).burst(5));
    let early = bucket.take(at(0));
    bucket.pause(at(0), 3 * SECOND);
    bucket.pause(at(0), SECOND);
    assert_eq!(early.map(|token| token.is_stale(at(SECOND))), Some(true));
    assert!(bucket.take(at(3 * SECOND - 1)).is_none());
    assert_eq!(take_all(&bucket, at(3 * SECOND)), 1);
    assert_eq!(take_all(&bucket, at(3 * SECOND + SECOND / 10)), 1);
}

#[test]
fn a_pause_neither_shortens_what_is_owed_nor_makes_tokens_stale_that_are_good_at_its_end() {
    let bucket = bucket(Rate::per_second(10).burst(1));
    let waiting: Vec<_> = (0..31).filter_map(|_| bucket.reserve(at(0), Instant::NEVER).ok()).collect();
    bucket.pause(at(0), 2 * SECOND);
    let next = bucket.reserve(at(0), Instant::NEVER).expect("unlimited patience");
    assert_eq!(next.at, at(31 * SECOND / 10));
    assert!(waiting[20].is_stale(at(2 * SECOND - 1)) && !waiting[20].is_stale(at(2 * SECOND)));
    waiting.into_iter().chain([next]).for_each(Token::spend);
}

#[test]
fn a_pause_at_the_end_of_time_is_no_change_of_rate() {
    let bucket = bucket(Rate::per_second(10));
    bucket.pause(Instant::NEVER, SECOND);
    assert!(bucket.reserve(at(0), Instant::NEVER).map(Token::spend).is_err());
}

#[test]
fn a_pause_that_is_over_is_none_for_a_new_rate() {
    let bucket = bucket(Rate::per_second(10).burst(1));
    bucket.pause(at(0), SECOND);
    bucket.change_rate(Rate::per_second(10).burst(5), at(SECOND));
    assert_eq!(take_all(&bucket, at(SECOND)), 5);
}

#[test]
fn who_would_wait_too_long_is_told_without_taking_anything() {
    let bucket = bucket(Rate::per_second(10).burst(1));
    assert_eq!(bucket.refuses_for(at(0), 0), None);
    assert!(bucket.take_and_spend(at(0)) && !bucket.take_and_spend(at(0)));
    let wait = SECOND / 10;
    assert_eq!([0, wait - 1, wait].map(|longest| bucket.refuses_for(at(0), longest)), [Some(wait), Some(wait), None]);
    let front = Bucket::front(None, Rate::per_second(10));
    assert_eq!(front.refuses_for(at(0), 0), None, "it is not known here");
    let mut waiting: Vec<_> = (0..2).filter_map(|_| bucket.reserve(at(0), Instant::NEVER).ok()).collect();
    drop(waiting.remove(0));
    assert_eq!(bucket.refuses_for(at(0), 0), None, "somebody left a slot");
    waiting.into_iter().for_each(Token::spend);
}

#[test]
fn at_a_glance_there_is_a_token_of_the_first_rate_or_of_the_one_in_force() {
    let bucket = bucket(Rate::per_hour(1));
    assert!(!bucket.take_of_later_rate(crate::clock::tick()), "there is no later one");
    assert!(bucket.take_and_spend(crate::clock::now()));
    bucket.change_rate(Rate::per_hour(2).burst(3), crate::clock::now());
    let taken = (0..5).filter(|_| bucket.take_of_later_rate(crate::clock::tick())).count();
    assert_eq!(taken, 2, "one is owed");
}

#[test]
fn a_token_of_a_rate_that_is_no_more_is_stale_until_it_is_carried() {
    let bucket = bucket(Rate::per_second(10).burst(1));
    let token = bucket.take(at(SECOND)).expect("a token");
    assert!(!token.is_stale(at(SECOND)));
    bucket.change_rate(Rate::per_second(20).burst(1), at(SECOND));
    assert!(token.is_stale(at(SECOND)));
    let token = token.carried();
    assert!(!token.is_stale(at(SECOND)));
    token.spend();
}

#[test]
fn a_slot_that_somebody_left_keeps_its_place_in_line_at_a_new_rate_too() {
    let bucket = bucket(Rate::per_second(10).burst(1));
    let mut waiting: Vec<_> = (0..3).filter_map(|_| bucket.reserve(at(0), Instant::NEVER).ok()).collect();
    drop(waiting.remove(1));
    let left = bucket.reserve(at(0), Instant::NEVER).expect("the slot that was left");
    assert_eq!(left.at, at(SECOND / 10));
    bucket.change_rate(Rate::per_second(20).burst(1), at(0));
    let left = left.carried();
    assert!(left.at.as_nanos().abs_diff(SECOND / 20) <= 20, "{left:?}");
    waiting.into_iter().chain([left]).for_each(Token::spend);
}

#[test]
#[cfg(feature = "tokio")]
fn a_sleeper_is_woken_by_its_latest_waker_and_not_once_it_is_gone() {
    #[derive(Default)]
    struct Woken(Clock);
    impl std::task::Wake for Woken {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let woken = [(); 3].map(|()| std::sync::Arc::new(Woken::default()));
    let [first, second, gone] = woken.clone().map(Waker::from);
    let bucket = bucket(Rate::per_second(10));
    let nap = bucket.nap()(at(0));
    let sleeper = nap.sleep(first);
    sleeper.wake(&second);
    drop(nap.sleep(gone));
    bucket.change_rate(Rate::per_second(11), at(0));
    bucket.wake();
    assert_eq!(woken.map(|woken| woken.0.load(Ordering::Relaxed)), [0, 1, 0]);
}

#[test]
fn only_so_many_slots_are_kept_for_others() {
    let bucket = bucket(Rate::per_second(10).burst(1));
    let waiting: Vec<_> = (0..FREED_SLOTS + 3).filter_map(|_| bucket.reserve(at(0), Instant::NEVER).ok()).collect();
    drop(waiting);
    assert_eq!(lock(&bucket.line).freed.len(), FREED_SLOTS);
}

#[test]
fn a_debt_that_fits_no_word_by_another_rate_is_not_taken_for_a_change_of_rate() {
    let (fast, slow) = (Interval::of(Rate::per_second(1_000_000)), Interval::of(Rate::per_day(1)));
    assert_eq!(carried(REPLACED - 1, &fast, &slow, at(0)), REPLACED - 1);
    let replaced = Replaced { units: fast.units, old_floor: 0, floor: 0, at: at(0) };
    assert_eq!(Meter::new(Rate::per_day(1), 1, Some(replaced)).carry(REPLACED - 1), REPLACED - 1);
}

/// Six tokens more than the burst and the rate were there.
#[test]
fn what_was_taken_before_a_pause_is_owed_when_the_burst_is_made_smaller_in_it_and_larger_again() {
    const TENTH: u64 = SECOND / 10;
    let rate = |burst| Rate::per_second(10).burst(burst);
    let cases = [(8, 7 * TENTH), (3, 2 * TENTH), (0, TENTH / 10)];
    for ((taken, next_after), is_paused_again) in cases.into_iter().flat_map(|case| [(case, false), (case, true)]) {
        let (bucket, now) = (bucket(rate(8)), at(3_600 * SECOND));
        (0..taken).for_each(|_| bucket.take(now).unwrap().spend());
        bucket.pause(now, TENTH / 10);
        if is_paused_again {
            bucket.pause(now.plus(1), TENTH / 10 - 1);
            bucket.change_rate(rate(3), now.plus(2));
        }
        bucket.change_rate(rate(2), now.plus(3));
        let after = now.plus(TENTH / 10);
        let next = bucket.reserve(after, Instant::NEVER).unwrap();
        assert!(next.at.since(now).abs_diff(next_after) < 10, "{taken}: {} ns", next.at.since(now));
        drop(next);
        bucket.change_rate(rate(8), after);
        assert!(take_all(&bucket, after) <= 8 - taken, "{taken}");
        assert_eq!(take_all(&bucket, after.plus(SECOND)), 8);
    }
}

/// What a pause that is over has left to be paid is owed like everything else.
#[test]
fn a_pause_that_begins_as_another_ends_forgives_nothing_of_what_that_has_left() {
    let bucket = bucket(Rate::per_second(10).burst(8));
    bucket.pause(at(SECOND), SECOND);
    bucket.pause(at(2 * SECOND), SECOND / 10);
    bucket.change_rate(Rate::per_second(10).burst(2), at(2 * SECOND));
    let next = bucket.reserve(at(2 * SECOND), Instant::NEVER).map(|token| token.at.as_nanos());
    assert!(next.is_ok_and(|at| at.abs_diff(26 * SECOND / 10) < 10), "{next:?}");
}

#[test]
fn a_debt_in_a_pause_that_fits_no_word_by_another_rate_is_not_taken_for_a_change_of_rate() {
    let (fast, slow) = (Interval::of(Rate::per_second(1_000_000)), Rate::per_day(1));
    let replaced = Replaced { units: fast.units, old_floor: 0, floor: 0, at: at(0) };
    let meter = Meter::new(slow, 1, Some(replaced));
    assert_eq!(Line::default().carry(REPLACED - 1, &fast, &meter, at(0)), REPLACED - 1);
}

#[test]
fn no_pause_is_longer_than_a_year() {
    let bucket = bucket(Rate::per_second(10));
    bucket.pause(at(SECOND), u64::MAX);
    assert_eq!(bucket.paused_until(), at(31_536_001 * SECOND));
}

#[test]
fn time_that_goes_back_gives_nothing_away_and_refuses_nothing_that_is_there() {
    let bucket = bucket(Rate::per_second(10).burst(3));
    let now = 3_600 * SECOND;
    assert!(bucket.take(at(now)).map(Token::spend).is_some());
    for back in [1, SECOND, 3_600 * SECOND] {
        assert_eq!(
            bucket.take(at(now - back)).is_some_and(|token| {
                drop(token);
                true
            }),
            back <= SECOND / 5
        );
    }
    assert_eq!(take_all(&bucket, at(now)), 2);
}

#[test]
fn a_new_rate_keeps_what_is_owed_and_counts_at_once() {
    let bucket = bucket(Rate::per_second(10).burst(10));
    let now = at(3_600 * SECOND);
    assert_eq!(take_all(&bucket, now), 10);
    bucket.change_rate(Rate::per_second(1_000).burst(10), now);
    assert_eq!(take_all(&bucket, now), 0);
    assert_eq!(take_all(&bucket, now.plus(5_000_000)), 5);
    bucket.change_rate(Rate::per_second(1).burst(2), now.plus(5_000_000));
    assert_eq!(take_all(&bucket, now.plus(5_000_000)), 0);
    assert_eq!(bucket.rate(), Rate::per_second(1).burst(2));
}

/// Though the clock goes back behind the change.
#[test]
fn a_full_bucket_owes_nothing_at_a_new_rate() {
    let now = 3_600 * SECOND;
    for paid in [now - SECOND, now] {
        let bucket = bucket(Rate::per_second(10).burst(2));
        assert!(bucket.take(at(paid - SECOND / 10)).map(Token::spend).is_some());
        bucket.change_rate(Rate::per_second(1).burst(3), at(now));
        assert_eq!(take_all(&bucket, at(now - 60 * SECOND)), 3);
    }
}

#[test]
fn a_new_rate_keeps_a_pause_neither_longer_nor_shorter() {
    for (before, after) in [(100, 1), (1, 1_000)] {
        let bucket = bucket(Rate::per_second(before).burst(1));
        let now = at(3_600 * SECOND);
        assert_eq!(take_all(&bucket, now), 1);
        bucket.pause(now, 60 * SECOND);
        bucket.change_rate(Rate::per_second(after).burst(1), now);
        assert!(bucket.take(now.plus(60 * SECOND - 1)).is_none(), "{before}/s to {after}/s");
        assert_eq!(take_all(&bucket, now.plus(60 * SECOND)), 1, "{before}/s to {after}/s");
    }
}

#[test]
fn a_new_rate_keeps_everybodys_place_in_line_and_the_slots_of_those_who_left() {
    let now = at(3_600 * SECOND);
    for (count, burst) in [(100, 1), (5, 1), (1, 1), (10, 4), (1_000, 50)] {
        let bucket = bucket(Rate::per_second(10).burst(1));
        let mut waiting: Vec<_> = (0..20).filter_map(|_| bucket.reserve(now, Instant::NEVER).ok()).collect();
        waiting.drain(..11).for_each(Token::spend);
        waiting.remove(4);
        let later = now.plus(SECOND);
        bucket.change_rate(Rate::per_second(7).burst(3), later);
        waiting.remove(6);
        bucket.change_rate(Rate::per_second(count).burst(burst), later);
        let slots: Vec<_> = waiting.into_iter().map(Token::carried).map(|token| (token.at.since(later), token.spend()).0).collect();
        let interval = SECOND / count;
        let slot = |calls: u64| (calls * interval).saturating_sub((u64::from(burst) - 1) * interval);
        let near = |one: u64, other: u64| one.abs_diff(other) <= 20;
        let expected = [1, 2, 3, 4, 6, 7, 9].map(slot);
        assert!(slots.iter().zip(expected).all(|(slot, due)| near(*slot, due)), "{count}/s: {slots:?} for {expected:?}");
        let next: Vec<_> = (0..3)
            .filter_map(|_| bucket.reserve(later, Instant::NEVER).ok())
            .map(|token| (token.at.since(later), token.spend()).0)
            .collect();
        let expected = [5, 8, 10].map(slot);
        assert!(next.iter().zip(expected).all(|(slot, due)| near(*slot, due)), "{count}/s: {next:?} for {expected:?}");
    }
}

#[test]
fn a_slot_that_somebody_left_moves_with_the_rate_like_any_other() {
    let now = at(3_600 * SECOND);
    let bucket = bucket(Rate::per_second(10).burst(1));
    let left = bucket.reserve(now, now).and_then(|first| {
        first.spend();
        bucket.reserve(now, Instant::NEVER)
    });
    drop(left);
    bucket.reserve(now, Instant::NEVER).map(Token::spend).expect("a slot that was left");
    drop(bucket.reserve(now, Instant::NEVER));
    let taken = bucket.reserve(now, Instant::NEVER).expect("a slot that was left");
    assert_eq!(taken.at.since(now), SECOND / 5);
    bucket.change_rate(Rate::per_second(1).burst(1), now);
    assert!(taken.is_stale(now));
    let carried = taken.carried();
    assert!(carried.at.since(now).abs_diff(2 * SECOND) <= 20, "{:?}", carried.at.since(now));
    carried.spend();
}

#[test]
fn a_slot_that_somebody_left_is_asked_for_before_anybody_is_sent_away() {
    let now = at(3_600 * SECOND);
    let bucket = bucket(Rate::per_second(1).burst(1));
    let waiting: Vec<_> = (0..4).filter_map(|_| bucket.reserve(now, Instant::NEVER).ok()).collect();
    assert_eq!(bucket.refuses_for(now, SECOND), Some(4 * SECOND));
    let mut waiting = waiting.into_iter();
    waiting.next().map(Token::spend).expect("one for now");
    drop(waiting.next());
    assert_eq!(bucket.refuses_for(now, SECOND), None);
    assert!(bucket.reserve(now, now.plus(SECOND)).is_ok_and(|token| (token.at.since(now), token.spend()).0 == SECOND));
    assert_eq!(bucket.refuses_for(now, SECOND), Some(4 * SECOND));
    waiting.for_each(Token::spend);
}

#[test]
fn two_threads_never_take_more_than_the_rate_allows() {
    let bucket = bucket(Rate::per_second(1_000).burst(50));
    let (clock, taken) = (Clock::new(0), Clock::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..200_000 {
                    let now = at(clock.fetch_add(5_000, Ordering::Relaxed));
                    if bucket.take(now).map(Token::spend).is_some() {
                        taken.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let bound = 50 + clock.load(Ordering::Relaxed) / 1_000_000;
    let taken = taken.load(Ordering::Relaxed);
    assert!(taken <= bound && taken >= bound - 1, "{taken} of {bound}");
}

#[test]
fn random_histories_never_exceed_the_bound_in_any_window() {
    for seed in 1..400_u64 {
        let mut random = fastrand::Rng::with_seed(seed);
        let count = random.u64(1..=5_000);
        let burst = random.u32(1..=8);
        let bucket = bucket(Rate::per_second(count).burst(burst));
        let mut now = random.u64(0..1 << 50);
        let mut starts: Vec<u64> = Vec::new();
        let mut waiting: Vec<Token<'_>> = Vec::new();
        for _ in 0..150 {
            match random.u32(0..6) {
                0..=2 => {
                    let patience = random.u64(0..=5 * SECOND / count);
                    if let Ok(token) = bucket.reserve(at(now), at(now + patience)) {
                        waiting.push(token);
                    }
                }
                3 if !waiting.is_empty() => drop(waiting.swap_remove(random.usize(0..waiting.len()))),
                _ => now += random.u64(0..=2 * SECOND / count),
            }
            let (due, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|token| token.at.as_nanos() <= now);
            waiting = later;
            for token in due {
                if token.is_stale(at(now)) {
                    continue;
                }
                starts.push(token.at.as_nanos());
                token.spend();
            }
        }
        drop(waiting);
        starts.sort_unstable();
        for first in 0..starts.len() {
            for last in first..starts.len() {
                let calls = (last - first + 1) as u64;
                let window = starts[last] - starts[first] + 1;
                let bound = u128::from(burst) * u128::from(SECOND) + u128::from(count) * u128::from(window);
                assert!(
                    u128::from(calls) * u128::from(SECOND) <= bound + u128::from(SECOND) / 8,
                    "seed {seed}: {calls} in {window}"
                );
            }
        }
    }
}

/// Whoever waits for it is there when it should be good, and finds that it never will be.
#[test]
fn where_time_stands_still_no_token_is_good_at_the_moment_that_was_waited_for() {
    let meter = Meter::new(Rate::per_second(1), 0, None);
    let all_of_it = meter.paid_for(Instant::NEVER);
    let (_, good) = meter.after_taking(all_of_it, 1, at(0));
    let found = [good.as_nanos() - 1, good.as_nanos()].map(|now| meter.after_taking(all_of_it, 1, Instant::from_nanos(now)).1);
    assert_eq!(found, [good, Instant::NEVER]);
}

#[cfg(feature = "testing")]
#[test]
fn at_a_glance_time_stands_still_where_it_does_for_everybody() {
    let interval = Interval::of(Rate::per_second(1));
    for count in [1 << 59, 1 << 60, 3 << 60, (3 << 60) + 1] {
        assert_eq!(interval.units_now(crate::clock::Tick::of(count)), interval.units_at(Instant::from_nanos(count)), "{count}");
    }
}

/// Clocks count for 584 years, a bucket's word for 36 and a half: later than that its time stands still.
#[test]
fn where_clocks_end_its_burst_is_there_once_and_nothing_is_waited_for() {
    const YEAR: u64 = 365 * 86_400 * SECOND;
    const YEARLY: Duration = Duration::from_nanos(YEAR);
    let rates =
        [Rate::per_second(1).burst(3), Rate::per_second(1_000_000_000).burst(100), Rate::per_day(1), Rate::per(1, YEARLY).burst(2)];
    for (start, rate) in
        [37 * YEAR, u64::MAX - SECOND, u64::MAX - 1, u64::MAX].into_iter().flat_map(|at| rates.map(|rate| (at, rate)))
    {
        let (bucket, now) = (bucket(rate), at(start));
        drop(bucket.take(now));
        assert_eq!(take_all(&bucket, now), rate.resolved_burst(), "{rate} at {start}");
        #[cfg(feature = "testing")]
        assert!(!bucket.meter.get().take_now(crate::clock::Tick::UNREAD), "{rate} at a glance");
        for later in [now, now.plus(1), now.plus(SECOND), Instant::NEVER] {
            assert!(bucket.take(later).is_none(), "{rate} at {start}");
            assert_eq!(bucket.reserve(later, later).map(Token::spend), Err(Instant::NEVER), "{rate} at {start}");
            assert_eq!(bucket.reserve(later, Instant::NEVER).map(Token::spend), Err(Instant::NEVER), "{rate} at {start}");
        }
        let burst = u32::try_from(rate.resolved_burst()).unwrap();
        bucket.change_rate(Rate::per_second(7).burst(burst), now);
        bucket.pause(now, SECOND);
        bucket.change_rate(rate, now);
        assert_eq!((take_all(&bucket, now), take_all(&bucket, Instant::NEVER)), (0, 0), "{rate} at {start}");
    }
}

#[test]
fn to_the_last_moment_that_its_word_counts_it_keeps_its_rate() {
    let bucket = bucket(Rate::per_second(1).burst(3));
    let interval = bucket.meter.get().interval;
    let last = interval.instant_of(interval.units_at(Instant::NEVER)).as_nanos() - 1;
    let before = |seconds: u64| at(last - seconds * SECOND);
    assert!(last > 36 * 365 * 86_400 * SECOND);
    assert_eq!([10, 2, 1, 0].map(|seconds| take_all(&bucket, before(seconds))), [3, 3, 1, 1]);
    assert_eq!(take_all(&bucket, at(last + SECOND)), 0);
}
