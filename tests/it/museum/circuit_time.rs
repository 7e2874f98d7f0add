//! Bugs 17 to 19: windows and clocks of circuits.

use super::pages::sources;
use super::{Body, Outcome, bad, good, trip};
use crate::support::{Named, quiesce};
use resilient::testing::TurnedClock;
use resilient::{CircuitBreaker, Policy, State, Window, breaker, resilient};
use std::time::Duration;

const TICK: Duration = Duration::from_nanos(1);

/// resilience4j#2334, #2379: a lock-free window of the length one lost its only slot when it moved on for the second time. The longest
/// is filled and wrapped in `resilient-runtime/src/breaker/count_window.rs`.
#[test]
fn bug_17_the_shortest_and_the_longest_window_count_like_a_list() {
    for size in [1, 2, 3, 1_000_000] {
        let name = format!("museum 17, {size} calls");
        let settings = CircuitBreaker::new().failure_ratio(1.0).window(Window::calls(size)).minimum_calls(size);
        let policy = Policy::builder().breaker_with(&name, settings).build().unwrap();
        let (clock, breaker, mut random) = (TurnedClock::start(), breaker(&name), fastrand::Rng::with_seed(u64::from(size)));
        let mut ends: Vec<bool> = Vec::new();
        for _ in 0..2_000 {
            let failed = random.bool();
            assert_eq!(policy.run(if failed { bad } else { good }).is_err(), failed);
            ends.push(failed);
            let held = &ends[ends.len().saturating_sub(size as usize)..];
            let failures = held.iter().filter(|failed| **failed).count();
            if failed && failures == size as usize {
                assert_eq!(breaker.state(), State::Open);
                breaker.reset();
                ends.clear();
                continue;
            }
            assert_eq!(breaker.state(), State::Closed);
            let counts = breaker.counts();
            assert_eq!((counts.calls, counts.failures), (held.len() as u64, failures as u64), "{name}");
        }
        quiesce(&clock, &[Named::Breaker(&name)]);
    }
}

/// resilience4j#2334, #2379: nor may time that passes in any step, from one tick to many windows, be too much for a window of time.
#[test]
fn bug_17_windows_of_time_forget_what_is_older_and_nothing_else() {
    for window in [10, 20, 30, 86_400_000].map(Duration::from_millis) {
        let name = format!("museum 17, {window:?}");
        let settings = CircuitBreaker::new().failure_ratio(1.0).window(Window::time(window)).minimum_calls(1_000_000);
        let policy = Policy::builder().breaker_with(&name, settings).build().unwrap();
        let (clock, breaker, mut random) = (TurnedClock::start(), breaker(&name), fastrand::Rng::with_seed(17));
        let steps =
            [Duration::ZERO, TICK, window / 10, window.saturating_sub(TICK), window, window + TICK, Duration::from_secs(1_000)];
        let mut ends: Vec<(Duration, bool)> = Vec::new();
        for _ in 0..2_000 {
            clock.advance(steps[if random.u32(0..4) > 0 { random.usize(0..3) } else { random.usize(0..steps.len()) }]);
            let (now, failed) = (clock.elapsed(), random.bool());
            assert_eq!(policy.run(if failed { bad } else { good }).is_err(), failed);
            ends.push((now, failed));
            let younger = |age: Duration| ends.iter().filter(move |(ended, _)| now < *ended + age);
            let (least, most) = (window / 10 * 9, window + TICK);
            let counts = breaker.counts();
            // It is kept in ten slices, so that an outcome leaves when nine to ten of them have passed.
            assert!((younger(least).count()..=younger(most).count()).contains(&usize::try_from(counts.calls).unwrap()), "{name}");
            let failures = |age| younger(age).filter(|(_, failed)| *failed).count();
            assert!((failures(least)..=failures(most)).contains(&usize::try_from(counts.failures).unwrap()), "{name}");
        }
        quiesce(&clock, &[Named::Breaker(&name)]);
    }
}

/// fabfuel/circuitbreaker PR 31, hoglet PR 25: open time was read off the wall clock, and setting that clock skipped it or made it last.
#[test]
fn bug_18_the_runtime_asks_for_the_time_of_day_only_where_a_server_or_a_key_wants_it() {
    let asks = |source: &str| ["SystemTime::", "UNIX_EPOCH"].iter().any(|word| source.contains(word));
    let asking = sources("resilient-runtime/src").into_iter().filter(|(_, source)| asks(source));
    let mut asking: Vec<_> = asking.map(|(file, _)| file).collect();
    asking.sort();
    assert_eq!(
        asking,
        ["classify/retry_after.rs", "idempotency_key.rs"],
        "a date in `Retry-After`, and what makes keys differ between runs"
    );
}

/// fabfuel/circuitbreaker PR 31, hoglet PR 25: however the clock is set meanwhile, a circuit is open as long as its own clock says.
#[test]
fn bug_18_a_clock_that_is_set_back_neither_skips_open_time_nor_adds_to_it() {
    #[resilient(breaker = "museum 18")]
    fn call(body: Body) -> Outcome {
        body()
    }
    let clock = TurnedClock::start();
    trip("museum 18", call);
    let wait = call(good).unwrap_err().rejected().retry_after().unwrap();
    for hour in [1, 2, 3].map(|hours| Duration::from_secs(hours * 3_600)) {
        clock.turn_back(hour);
        assert!(call(good).is_err(), "nothing is skipped");
        clock.advance(hour);
        assert_eq!(call(good).unwrap_err().rejected().retry_after(), Some(wait), "nothing is added");
    }
    clock.advance(wait.saturating_sub(TICK));
    assert!(call(good).is_err());
    clock.advance(TICK);
    assert_eq!(call(good), Ok(()));
    quiesce(&clock, &[Named::Breaker("museum 18")]);
}

/// rust-lang/rust PR 89926, habitat#6018, rust-lang/rust#48980: subtracting moments panicked where the clock stepped back or had only
/// just begun. `scripts/rules` forbids such arithmetic, and `where_clocks_end` are the runtime's own tests after 584 years.
#[test]
fn bug_19_calls_are_the_same_at_the_beginning_and_at_the_end_of_time() {
    let (day, years) = (Duration::from_secs(86_400), Duration::from_secs(10 * 365 * 86_400));
    for (number, start) in [Duration::ZERO, day].into_iter().enumerate() {
        let name = format!("museum 19, {number}");
        let settings = CircuitBreaker::new().failure_threshold(4).failure_ratio(1.0).slow_call_duration(day);
        let settings = settings.window(Window::time(day));
        let policy = Policy::builder().retries(2).deadline(day).breaker_with(&name, settings).rate(1).bucket(&name);
        let policy = policy.concurrency(2).bulkhead(&name).build().unwrap();
        let clock = TurnedClock::start();
        match start {
            Duration::ZERO => clock.turn_back(years * 9),
            before_the_end => {
                clock.advance(years * 9);
                clock.turn_back(before_the_end);
            }
        }
        for _ in 0..3 {
            assert_eq!(policy.run(good), Ok(()));
            assert_eq!((policy.run(bad), policy.run(bad)), (bad(), bad()));
            assert_eq!(breaker(&name).state(), State::Open);
            assert!(policy.run(good).is_err());
            clock.turn_back(years);
            assert!(policy.run(good).is_err());
            breaker(&name).reset();
            clock.advance(years);
        }
        quiesce(&clock, &[Named::Breaker(&name), Named::Bucket(&name), Named::Bulkhead(&name)]);
    }
}
