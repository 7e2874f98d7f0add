use super::*;
use crate::Window;
use std::collections::VecDeque;
use std::sync::mpsc;
use std::time::Duration;

const SLOW: Duration = Duration::from_millis(100);

#[test]
fn a_window_that_is_set_later_starts_empty() {
    let breaker = breaker(CircuitBreaker::new());
    let half = CircuitBreaker::new().failure_ratio(0.5).window(Window::calls(10)).minimum_calls(2);
    breaker.change_settings(half);
    assert_eq!(breaker.counted(nanos(EPOCH)).calls, 0);
    end(&breaker, BAD, EPOCH);
    assert_eq!(breaker.load().phase(), Phase::Closed);
    assert_eq!(breaker.counted(nanos(EPOCH)).calls, 1);
}

#[test]
fn successes_of_a_slice_are_counted_without_the_lock_and_none_is_lost_when_that_count_is_full() {
    let most = crate::breaker::word::MOST;
    let breaker = breaker(CircuitBreaker::new().failure_ratio(0.5).window(Window::time(Duration::from_secs(10))));
    end(&breaker, BAD, EPOCH);
    (0..3).for_each(|_| end(&breaker, GOOD, EPOCH));
    assert_eq!(breaker.load().streak(), Streak::Successes(3));
    end(&breaker, GOOD, EPOCH + SECOND);
    assert_eq!(breaker.load().streak(), Streak::Successes(1), "another slice has begun");
    breaker.word.swap(breaker.load().with_streak(Streak::Successes(most)).bits(), Ordering::Release);
    end(&breaker, GOOD, EPOCH + SECOND);
    assert_eq!(breaker.counted(nanos(EPOCH + SECOND)).calls, 4 + u64::from(most) + 1);
    assert_eq!(breaker.counted(nanos(EPOCH + 10 * SECOND)).calls, u64::from(most) + 1);
    assert_eq!(breaker.counted(nanos(EPOCH + 11 * SECOND)).calls, 0);
}

#[test]
fn it_is_fresh_until_something_is_counted_in_a_window_of_either_kind() {
    for window in [Window::calls(10), Window::time(Duration::from_secs(10))] {
        let breaker = breaker(CircuitBreaker::new().slow_call_duration(SLOW).window(window));
        let is_fresh = || lock(&breaker.records).is_fresh(breaker.load(), breaker.settings.get());
        assert!(is_fresh(), "{window:?}");
        end(&breaker, SLOW_GOOD, EPOCH);
        assert!(!is_fresh(), "{window:?}");
        breaker.reset();
        assert!(is_fresh(), "{window:?}");
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Ended {
    failed: bool,
    slow: bool,
}

fn nanos(nanos: u64) -> Instant {
    Instant::from_nanos(nanos)
}

/// Far enough from zero that a slow body has started after it.
const EPOCH: u64 = 1_000 * SECOND;

fn end(breaker: &Breaker, ended: Ended, now: u64) {
    let started = nanos(now - if ended.slow { 200_000_000 } else { 100_000_000 });
    let permit = admit(breaker, nanos(now)).expect("admitted");
    finish(permit, ended, started, now);
}

fn finish(permit: Permit<'_>, ended: Ended, started: Instant, now: u64) {
    if ended.failed {
        permit.fail(started, nanos(now), u64::MAX);
    } else {
        permit.succeed(started, || nanos(now), || u64::MAX);
    }
}

const GOOD: Ended = Ended { failed: false, slow: false };
const BAD: Ended = Ended { failed: true, slow: false };
const SLOW_GOOD: Ended = Ended { failed: false, slow: true };

fn opens_within(breaker: &Breaker, ended: Ended, most: u32) -> Option<u32> {
    (1..=most).find(|_| {
        end(breaker, ended, EPOCH);
        breaker.load().phase() == Phase::Open
    })
}

/// The same in the most obvious way: all outcomes, each with when it came in.
struct Oracle {
    window: Window,
    minimum: usize,
    ratios: (f64, f64),
    threshold: u32,
    ends: VecDeque<(u64, Ended)>,
    failures: u32,
    latest: u64,
}

impl Oracle {
    fn slice(&mut self, now: u64) -> u64 {
        let crate::window::Extent::Time(time) = self.window.0 else { return 0 };
        self.latest = self.latest.max(now / (u64::try_from(time.as_nanos()).expect("short") / 10));
        self.latest
    }

    fn forget(&mut self, now: u64) {
        let slice = self.slice(now);
        match self.window.0 {
            crate::window::Extent::Calls(calls) => {
                let surplus = self.ends.len().saturating_sub(calls as usize);
                self.ends.drain(..surplus);
            }
            crate::window::Extent::Time(_) => self.ends.retain(|(ended_in, _)| ended_in + 10 > slice),
        }
    }

    /// Whether it opens.
    fn end(&mut self, ended: Ended, now: u64) -> bool {
        let slice = self.slice(now);
        self.ends.push_back((slice, ended));
        self.forget(now);
        self.failures = if ended.failed { self.failures + 1 } else { 0 };
        let (calls, failed, slow) = self.counts(now);
        let number = |count: usize| f64::from(u32::try_from(count).expect("few"));
        let share = |part: usize| number(part) / number(calls);
        let is_too_much = calls >= self.minimum && (share(failed) >= self.ratios.0 || share(slow) >= self.ratios.1);
        (ended.failed && self.failures >= self.threshold) || ((ended.failed || ended.slow) && is_too_much)
    }

    fn counts(&mut self, now: u64) -> (usize, usize, usize) {
        self.forget(now);
        let count = |is: fn(&Ended) -> bool| self.ends.iter().filter(|(_, ended)| is(ended)).count();
        (self.ends.len(), count(|ended| ended.failed), count(|ended| ended.slow))
    }

    fn clear(&mut self) {
        self.ends.clear();
        (self.failures, self.latest) = (0, 0);
    }
}

/// A history that is good for a while and bad for a while, so that windows run full, become clean and trip.
fn random_history(random: &mut fastrand::Rng, window: Window, steps: u32, step_nanos: u64) {
    let minimum = random.u32(1..=8);
    let ratios = (f64::from(random.u32(1..=20)) / 20.0, f64::from(random.u32(1..=20)) / 20.0);
    let threshold = random.bool().then(|| random.u32(1..=12));
    let mut settings = CircuitBreaker::new().failure_ratio(ratios.0).slow_call_duration(SLOW).slow_call_ratio(ratios.1);
    settings = settings.window(window).minimum_calls(minimum);
    if let Some(threshold) = threshold {
        settings = settings.failure_threshold(threshold);
    }
    let minimum = settings.resolved().watch.expect("a window").minimum_calls as usize;
    let (ends, threshold) = (VecDeque::new(), threshold.unwrap_or(u32::MAX));
    let mut oracle = Oracle { window, minimum, ratios, threshold, ends, failures: 0, latest: 0 };
    let (breaker, mut now, mut badness) = (breaker(settings), EPOCH, 0);
    for step in 0..steps {
        match random.u32(0..100) {
            0..3 => badness = [0, 0, 1, 5, 40, 90][random.usize(0..6)],
            3 => (breaker.reset(), oracle.clear()).0,
            4..6 => drop(admit(&breaker, nanos(now))),
            _ => {}
        }
        now = match random.u32(0..400) {
            0 => now.saturating_sub(step_nanos * random.u64(0..30)).max(EPOCH),
            1 => now + step_nanos * random.u64(0..300),
            _ => now + random.u64(0..=step_nanos),
        };
        let ended = Ended { failed: random.u32(0..100) < badness, slow: random.u32(0..100) < badness };
        end(&breaker, ended, now);
        let must_open = oracle.end(ended, now);
        assert_eq!(breaker.load().phase() == Phase::Open, must_open, "{window:?}, step {step}: {ended:?}");
        if must_open {
            let before = breaker.settings.get().success_threshold;
            let later = now + 100 * SECOND;
            (0..before).for_each(|_| end(&breaker, GOOD, later));
            assert_eq!((breaker.load().phase(), breaker.counted(nanos(later))), (Phase::Closed, Counts::default()));
            oracle.clear();
        } else {
            let Counts { calls, failures, slow_calls } = breaker.counted(nanos(now));
            let counted = [calls, failures, slow_calls].map(|count| usize::try_from(count).expect("few"));
            assert_eq!((counted[0], counted[1], counted[2]), oracle.counts(now), "{window:?}, step {step}");
        }
    }
}

#[test]
fn a_window_of_calls_agrees_with_all_outcomes_kept_in_a_list() {
    let mut random = fastrand::Rng::with_seed(7);
    for size in [1, 2, 3, 7, 63, 64, 65, 100, 129, 1_000] {
        for _ in 0..12 {
            random_history(&mut random, Window::calls(size), 2_500, 1_000);
        }
    }
}

#[test]
fn a_window_of_time_agrees_with_all_outcomes_kept_in_a_list() {
    let mut random = fastrand::Rng::with_seed(8);
    for (window, step) in [(10, 300_000), (10, 3_000_000), (1_000, 20_000_000), (86_400_000, 1_000_000_000_000), (1_003, 7)] {
        for _ in 0..15 {
            random_history(&mut random, Window::time(Duration::from_millis(window)), 1_500, step);
        }
    }
}

#[test]
fn a_window_of_a_million_calls_counts_every_one_and_forgets_the_oldest() {
    let settings = CircuitBreaker::new().failure_ratio(1.0).window(Window::calls(1_000_000));
    let breaker = breaker(settings);
    end(&breaker, GOOD, EPOCH);
    for _ in 0..1_000 {
        end(&breaker, BAD, EPOCH);
    }
    let counts = |calls, failures| Counts { calls, failures, slow_calls: 0 };
    assert_eq!(breaker.counted(nanos(EPOCH)), counts(1_001, 1_000));
    for _ in 0..998_999 {
        end(&breaker, GOOD, EPOCH);
    }
    assert_eq!(breaker.counted(nanos(EPOCH)), counts(1_000_000, 1_000));
    end(&breaker, GOOD, EPOCH);
    assert_eq!(breaker.counted(nanos(EPOCH)), counts(1_000_000, 1_000), "the first was a success");
    end(&breaker, GOOD, EPOCH);
    end(&breaker, BAD, EPOCH);
    assert_eq!(breaker.counted(nanos(EPOCH)), counts(1_000_000, 999));
    for _ in 0..1_000_000 {
        end(&breaker, GOOD, EPOCH);
    }
    assert_eq!(breaker.counted(nanos(EPOCH)), counts(1_000_000, 0));
    assert!(!admit(&breaker, nanos(EPOCH)).expect("closed").is_told_of_success());
}

#[test]
fn a_time_window_forgets_whatever_the_clock_does() {
    let (slice, window) = (SECOND, 10 * SECOND);
    for advance in [0, 1, slice - 1, slice, 9 * slice - 1, window - 1, window, window + 1, 1_000_000_000_000, u64::MAX / 2] {
        let breaker = breaker(CircuitBreaker::new().failure_ratio(1.0).window(Window::time(Duration::from_nanos(window))));
        end(&breaker, GOOD, EPOCH);
        end(&breaker, BAD, EPOCH);
        let kept = u64::from(advance < window);
        let counts = breaker.counted(nanos(EPOCH + advance));
        assert_eq!((counts.calls, counts.failures), (2 * kept, kept), "{advance}");
        end(&breaker, GOOD, EPOCH + advance);
        let counts = breaker.counted(nanos(EPOCH + advance));
        assert_eq!((counts.calls, counts.failures), (2 * kept + 1, kept), "{advance}");
    }
    let breaker = breaker(CircuitBreaker::new().failure_ratio(0.5).window(Window::time(Duration::from_secs(10))).minimum_calls(3));
    end(&breaker, GOOD, EPOCH + 3_600 * SECOND);
    end(&breaker, BAD, EPOCH);
    end(&breaker, BAD, EPOCH);
    assert_eq!(breaker.load().phase(), Phase::Open, "an hour back is no hour without counting");
}

#[test]
fn a_window_full_of_successes_is_not_written_to() {
    for size in [1, 2, 64, 100] {
        let breaker = breaker(CircuitBreaker::new().failure_ratio(0.5).window(Window::calls(size)));
        let is_quiet = || !admit(&breaker, nanos(EPOCH)).expect("closed").is_told_of_success();
        for filled in 0..size {
            assert!(!is_quiet(), "{filled} of {size}");
            end(&breaker, GOOD, EPOCH);
        }
        assert!(is_quiet());
        if size > 2 {
            end(&breaker, BAD, EPOCH);
            (0..size).for_each(|_| end(&breaker, GOOD, EPOCH));
            assert!(is_quiet(), "the failure has left");
        }
    }
    let timed = breaker(CircuitBreaker::new().slow_call_duration(SLOW));
    (0..100).for_each(|_| end(&timed, GOOD, EPOCH));
    let before = timed.load();
    end(&timed, GOOD, EPOCH);
    assert_eq!(timed.load(), before);
}

#[test]
fn beside_a_ratio_failures_in_a_row_open_it_only_if_that_is_said() {
    let ratio = CircuitBreaker::new().failure_ratio(1.0).minimum_calls(50);
    assert_eq!(opens_within(&breaker(ratio), BAD, 100), Some(50));
    assert_eq!(opens_within(&breaker(ratio.failure_threshold(7)), BAD, 100), Some(7));
    assert_eq!(opens_within(&breaker(CircuitBreaker::new().failure_ratio(1.0)), BAD, 100), Some(20));
    assert_eq!(opens_within(&breaker(CircuitBreaker::new().slow_call_duration(SLOW)), BAD, 100), Some(5));
    let small = CircuitBreaker::new().failure_ratio(0.5).window(Window::calls(3));
    assert_eq!(opens_within(&breaker(small), BAD, 100), Some(3), "no more is asked than the window holds");
}

#[test]
fn a_share_is_met_exactly() {
    for percent in 1..=100_u32 {
        let settings = CircuitBreaker::new().failure_ratio(f64::from(percent) / 100.0).minimum_calls(100);
        let breaker = breaker(settings);
        (0..100 - percent).for_each(|_| end(&breaker, GOOD, EPOCH));
        assert_eq!(opens_within(&breaker, BAD, 100), Some(percent));
    }
}

#[test]
fn slow_calls_open_it_and_a_slow_failure_counts_as_both() {
    let settings = CircuitBreaker::new().slow_call_duration(SLOW).minimum_calls(4).slow_call_ratio(0.5);
    let slow = breaker(settings);
    assert_eq!(opens_within(&slow, SLOW_GOOD, 10), Some(4));
    let slow = breaker(settings.failure_ratio(1.0));
    end(&slow, GOOD, EPOCH);
    end(&slow, GOOD, EPOCH);
    end(&slow, Ended { failed: true, slow: true }, EPOCH);
    assert_eq!(slow.counted(nanos(EPOCH)), Counts { calls: 3, failures: 1, slow_calls: 1 });
    end(&slow, Ended { failed: true, slow: true }, EPOCH);
    assert_eq!(slow.load().phase(), Phase::Open);
}

#[test]
fn a_slow_success_ends_failures_in_a_row() {
    let breaker = breaker(CircuitBreaker::new().slow_call_duration(SLOW));
    (0..4).for_each(|_| end(&breaker, BAD, EPOCH));
    end(&breaker, SLOW_GOOD, EPOCH);
    assert_eq!(breaker.failures(), 0);
    assert_eq!(opens_within(&breaker, BAD, 10), Some(5));
}

#[test]
fn a_slow_probe_has_failed_where_slow_calls_are_asked_for() {
    for (settings, phase) in
        [(CircuitBreaker::new().slow_call_duration(SLOW), Phase::Open), (CircuitBreaker::new(), Phase::HalfOpen)]
    {
        let breaker = breaker(settings);
        breaker.change_settings(settings.success_threshold(3));
        trip(&breaker, at(2_000));
        end(&breaker, SLOW_GOOD, 2_005 * SECOND);
        assert_eq!(breaker.load().phase(), phase);
    }
}

#[test]
fn minimum_calls_are_not_asked_of_a_half_open_circuit() {
    let breaker = breaker(CircuitBreaker::new().failure_ratio(0.5).minimum_calls(100));
    assert_eq!(opens_within(&breaker, BAD, 200), Some(100));
    end(&breaker, BAD, EPOCH + 5 * SECOND);
    assert_eq!(breaker.load().phase(), Phase::Open);
    end(&breaker, GOOD, EPOCH + 15 * SECOND);
    end(&breaker, GOOD, EPOCH + 15 * SECOND);
    assert_eq!(breaker.load().phase(), Phase::Closed);
    assert_eq!(opens_within(&breaker, BAD, 200), Some(100), "the window was emptied");
}

#[test]
fn late_results_do_not_reach_the_next_window() {
    for window in [Window::calls(10), Window::time(Duration::from_secs(10))] {
        let breaker = breaker(CircuitBreaker::new().failure_ratio(0.5).window(window).slow_call_duration(SLOW));
        let late: Vec<_> = (0..9).map(|_| admit(&breaker, nanos(EPOCH)).expect("closed")).collect();
        breaker.reset();
        end(&breaker, GOOD, EPOCH);
        let before = (breaker.load(), breaker.counted(nanos(EPOCH)));
        for (index, permit) in late.into_iter().enumerate() {
            let ended = [GOOD, BAD, SLOW_GOOD][index % 3];
            finish(permit, ended, nanos(EPOCH - SECOND * u64::from(ended.slow)), EPOCH);
        }
        assert_eq!((breaker.load(), breaker.counted(nanos(EPOCH))), before);
        assert_eq!(before.1.calls, 1);
    }
}

#[test]
fn other_settings_keep_the_window_and_another_window_starts_empty() {
    let settings = CircuitBreaker::new().failure_ratio(0.9).failure_threshold(50).window(Window::calls(10));
    let breaker = breaker(settings);
    (0..3).for_each(|_| end(&breaker, GOOD, EPOCH));
    (0..3).for_each(|_| end(&breaker, BAD, EPOCH));
    breaker.change_settings(settings.failure_ratio(0.8).minimum_calls(9).failure_threshold(40));
    assert_eq!(breaker.counted(nanos(EPOCH)), Counts { calls: 6, failures: 3, slow_calls: 0 });
    for window in [Window::calls(20), Window::time(Duration::from_secs(1)), Window::time(Duration::from_secs(2))] {
        let late = admit(&breaker, nanos(EPOCH)).expect("closed");
        breaker.change_settings(settings.window(window));
        assert_eq!((breaker.counted(nanos(EPOCH)), breaker.failures()), (Counts::default(), 3));
        finish(late, BAD, nanos(EPOCH), EPOCH);
        assert_eq!(breaker.counted(nanos(EPOCH)), Counts::default());
    }
    breaker.change_settings(CircuitBreaker::new().failure_threshold(4));
    end(&breaker, BAD, EPOCH);
    assert_eq!(breaker.load().phase(), Phase::Open, "the failures in a row were kept throughout");
    breaker.change_settings(settings);
    assert_eq!(breaker.load().phase(), Phase::Open);
    assert_eq!(breaker.admit(nanos(EPOCH + 4 * SECOND), None).map(drop), Err(Some(nanos(EPOCH + 5 * SECOND))));
    (0..2).for_each(|_| end(&breaker, GOOD, EPOCH + 5 * SECOND));
    assert_eq!(opens_within(&breaker, BAD, 100), Some(10), "the new settings hold");
}

#[test]
fn no_success_waits_for_the_lock() {
    for window in [Window::calls(10), Window::time(Duration::from_secs(10))] {
        let breaker = breaker(CircuitBreaker::new().failure_ratio(0.5).window(window).slow_call_duration(SLOW));
        end(&breaker, BAD, EPOCH);
        let breaker: &'static Breaker = Box::leak(Box::new(breaker));
        let (held, (done, is_done)) = (breaker.hold_lock(), mpsc::channel());
        thread::spawn(move || {
            (0..100).for_each(|second| end(breaker, GOOD, EPOCH + second * SECOND));
            done.send(()).ok();
        });
        assert_eq!(is_done.recv_timeout(Duration::from_secs(20)), Ok(()), "they came back");
        drop(held);
        assert!(breaker.counted(nanos(EPOCH)).calls >= 10);
    }
}

#[test]
fn threads_together_count_every_outcome_once() {
    const THREADS: u32 = 4;
    const CALLS: u32 = 3_000;
    for window in [Window::calls(1_000_000), Window::time(Duration::from_secs(100))] {
        let settings = CircuitBreaker::new().failure_ratio(1.0).slow_call_duration(SLOW).slow_call_ratio(1.0).window(window);
        let (breaker, barrier) = (breaker(settings), Barrier::new(THREADS as usize));
        end(&breaker, GOOD, EPOCH);
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let (breaker, barrier) = (&breaker, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    for call in 0..CALLS {
                        let ended = Ended { failed: call % 10 == thread, slow: call % 15 == 0 };
                        end(breaker, ended, EPOCH + u64::from(call) * 20_000_000);
                    }
                });
            }
        });
        let counts = breaker.counted(nanos(EPOCH + u64::from(CALLS) * 20_000_000));
        let expected = [1 + THREADS * CALLS, THREADS * CALLS / 10, THREADS * CALLS / 15].map(u64::from);
        assert_eq!([counts.calls, counts.failures, counts.slow_calls], expected, "{window:?}");
    }
}

#[test]
fn threads_together_never_miss_the_failure_that_opens_it() {
    for (round, window) in [Window::calls(64), Window::time(Duration::from_secs(100))].into_iter().cycle().take(60).enumerate() {
        let settings = CircuitBreaker::new().failure_ratio(0.5).minimum_calls(64).window(window);
        let (breaker, barrier) = (breaker(settings), Barrier::new(8));
        // Its first slice begins before the threads do: a success that ends while a slice is closed may count for the slice before.
        let first = u64::from(matches!(window.0, crate::window::Extent::Time(_)));
        (0..first).for_each(|_| end(&breaker, GOOD, EPOCH));
        thread::scope(|scope| {
            for thread in 0..8 {
                let (breaker, barrier) = (&breaker, &barrier);
                scope.spawn(move || {
                    let permits: Vec<_> = (0..8).map(|_| admit(breaker, nanos(EPOCH)).expect("closed")).collect();
                    barrier.wait();
                    for (call, permit) in permits.into_iter().enumerate() {
                        // The last outcome of all is a failure: only then may nothing be missed.
                        let ended = if (call + thread) % 8 < 4 { GOOD } else { BAD };
                        finish(permit, ended, nanos(EPOCH), EPOCH);
                    }
                });
            }
        });
        if breaker.load().phase() == Phase::Closed {
            let counts = breaker.counted(nanos(EPOCH));
            assert_eq!((counts.calls, counts.failures), (64 + first, 32), "round {round}");
            end(&breaker, BAD, EPOCH);
        }
        assert_eq!(breaker.load().phase(), Phase::Open, "round {round}");
    }
}
