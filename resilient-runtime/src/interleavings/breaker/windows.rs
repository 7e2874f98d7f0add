//! What a window counts while calls end.

use super::super::{assert_caught, explore, explore_some};
use super::{SECOND, START};
use super::{admitted, all, breaker, end, fail, opens_at, quiesce, succeed, with};
use crate::Counts;
use crate::breaker::Breaker;
use crate::breaker::loose::Loose;
use crate::clock::Instant;
use crate::window::Window;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A word without a streak says of a window of calls that it is full of successes, and of no window that nothing has happened.
fn new_window() {
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
fn a_new_kind_of_window_begins_empty_while_calls_end() {
    new_window();
}

#[test]
fn seeded_a_new_window_that_goes_on_as_the_old_one_is_caught() {
    assert_caught("a new window goes on as the old one", new_window);
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

fn calls_of_a_window() {
    recorders(Window::calls(9), [START; 3]);
}

fn slice_of_a_window() {
    recorders(Window::time(Duration::from_secs(10)), [START; 3]);
}

fn slices_of_a_window() {
    recorders(Window::time(Duration::from_secs(10)), [START, START.plus(SECOND), START.plus(2 * SECOND)]);
}

#[test]
fn a_window_of_calls_loses_nothing() {
    calls_of_a_window();
}

#[test]
fn a_window_of_time_loses_nothing() {
    slice_of_a_window();
    slices_of_a_window();
}

#[test]
fn seeded_successes_that_a_window_loses_are_caught() {
    for window in [calls_of_a_window, slice_of_a_window, slices_of_a_window] {
        assert_caught("a streak is read, then ended", window);
    }
    assert_caught("a success counts on what was", calls_of_a_window);
}

#[test]
fn seeded_successes_that_a_window_counts_twice_are_caught() {
    assert_caught("a slice is filed twice", slices_of_a_window);
}

/// What a window of time misses at most of `successes` that end beside the first outcome after a pause: whatever ends while that
/// has the lock and has not taken the streak yet. They would have to wait for the lock to know that the pause is over.
fn missed_beside(first: fn(&Breaker, Loose, Instant), interruptions: usize, successes: [usize; 2]) -> u64 {
    let most = Arc::new(AtomicU64::new(0));
    let missed = Arc::clone(&most);
    explore_some(500, interruptions, move || {
        let ten_seconds = Window::time(Duration::from_secs(10));
        let breaker = breaker(opens_at(9).failure_ratio(1.0).minimum_calls(9).window(ten_seconds));
        let call = admitted(&breaker, START);
        let beginning = with(&breaker, move |breaker| first(breaker, call, START));
        let succeeding =
            successes.map(|times| with(&breaker, move |breaker| (0..times).for_each(|_| succeed(breaker, call, START))));
        end(beginning);
        all(succeeding);
        let Counts { calls, .. } = breaker.counted_at(START);
        let ended = 1 + successes.iter().sum::<usize>() as u64;
        missed.fetch_max(ended.checked_sub(calls).expect("none twice"), Ordering::Relaxed);
        succeed(&breaker, call, START);
        assert_eq!(breaker.counted_at(START).calls, calls + 1, "afterwards none");
        quiesce(&breaker);
    });
    most.load(Ordering::Relaxed)
}

#[test]
fn beside_the_first_failure_after_a_pause_a_window_of_time_may_miss_all_successes_and_afterwards_none() {
    assert_eq!(missed_beside(fail, 2, [1, 0]), 1);
    assert_eq!(missed_beside(fail, 2, [2, 0]), 2);
}

/// Loom would run it 70,000 times.
#[cfg(interleaved = "shuttle")]
#[test]
fn beside_the_first_failure_after_a_pause_a_window_of_time_may_miss_successes_of_two_threads() {
    assert_eq!(missed_beside(fail, 2, [1, 1]), 2);
}

#[test]
fn beside_the_first_success_after_a_pause_a_window_of_time_may_miss_all_others_and_afterwards_none() {
    assert_eq!(missed_beside(succeed, 1, [1, 1]), 2);
}

fn clear_window() {
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
fn a_window_of_calls_is_clear_once_it_is_full_of_successes() {
    clear_window();
}

#[test]
fn seeded_a_success_that_counts_on_what_was_is_caught() {
    assert_caught("a success counts on what was", clear_window);
}
