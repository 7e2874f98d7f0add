//! Bugs 25 to 33: waits before a retry that overflow, shrink or pass their cap.

use super::pages::{assert_refused, assert_says};
use crate::support::{Counter, ServiceError, millis};
use resilient::testing::{TurnedClock, seeded_jitter};
use resilient::{Backoff, Jitter, Policy, PolicyBuilder, resilient};
use std::time::Duration;

pub(super) const SECOND: Duration = Duration::from_secs(1);

pub(super) const HOUR: Duration = Duration::from_secs(3_600);

pub(super) fn lost() -> Result<(), ServiceError> {
    Err(ServiceError::Reset)
}

/// A policy with those waits, and no budget in their way.
pub(super) fn waiting(base: Duration, max: Duration, backoff: Backoff, jitter: Jitter) -> PolicyBuilder {
    Policy::builder().base_delay(base).max_delay(max).backoff(backoff).jitter(jitter).without_budget()
}

const GROWING: [Backoff; 4] = [Backoff::Exponential, Backoff::Constant, Backoff::Linear, Backoff::Fibonacci];

pub(super) const BACKOFFS: [Backoff; 5] =
    [Backoff::Exponential, Backoff::Constant, Backoff::Linear, Backoff::Fibonacci, Backoff::Decorrelated];
pub(super) const JITTERS: [Jitter; 6] =
    [Jitter::None, Jitter::Full, Jitter::Equal, Jitter::Ratio(0.0), Jitter::Ratio(0.5), Jitter::Ratio(1.0)];

/// What a call waits that fails so many times and once more; waits of no time are not among them.
fn waits(policy: PolicyBuilder, retries: u32) -> Vec<Duration> {
    let (clock, policy, attempts) = (TurnedClock::start(), policy.retries(retries).build().unwrap(), Counter::default());
    let outcome = policy.run(|| {
        attempts.count();
        lost()
    });
    assert_eq!((outcome, attempts.get()), (Err(ServiceError::Reset), retries + 1));
    clock.waits()
}

/// Polly#2163: jitter made an endless delay not a number after 1,024 attempts, and retries came at once.
#[test]
fn bug_25_every_wait_is_from_zero_to_max_delay_whatever_the_attempt() {
    let extremes = [Duration::from_nanos(1), millis(1), HOUR, Duration::MAX];
    for backoff in BACKOFFS {
        for jitter in JITTERS {
            for base in extremes {
                for max in extremes.into_iter().filter(|max| *max >= base) {
                    let waits = waits(waiting(base, max, backoff, jitter), 1_100);
                    assert!(waits.iter().all(|wait| *wait <= max), "{backoff:?} {jitter:?} {base:?} {max:?}");
                }
            }
        }
    }
}

/// Polly#2163: the delays after the overflow were none at all.
#[test]
fn bug_25_no_number_of_attempts_brings_the_waits_back_to_nothing() {
    for backoff in [Backoff::Exponential, Backoff::Linear, Backoff::Fibonacci] {
        for jitter in [Jitter::None, Jitter::Equal, Jitter::Ratio(0.5)] {
            let waits = waits(waiting(millis(1), SECOND, backoff, jitter), 3_000);
            assert!(waits[1_000..].iter().all(|wait| *wait >= SECOND / 2), "{backoff:?} {jitter:?}");
        }
    }
}

/// Polly#1866: a delay that overflowed became the longest there is, past the cap, and retries seemed to stop.
#[test]
fn bug_26_past_the_knee_every_wait_is_max_delay_exactly() {
    for (backoff, attempts) in [(Backoff::Exponential, 1_000_000), (Backoff::Linear, 100_000), (Backoff::Fibonacci, 70_000)] {
        for max in [millis(300), 10 * SECOND, HOUR] {
            let policy = waiting(millis(100), max, backoff, Jitter::None).build().unwrap();
            let waits: Vec<_> = policy.schedule(attempts).collect();
            let knee = waits.iter().position(|wait| *wait == max).unwrap();
            assert!(waits[knee..].iter().all(|wait| *wait == max), "{backoff:?} {max:?}");
        }
    }
    let all = waits(waiting(millis(100), 10 * SECOND, Backoff::Exponential, Jitter::None), 1_100);
    assert!(all[7..].iter().all(|wait| *wait == 10 * SECOND), "and what is waited is what was planned");
}

/// aws-sdk-rust#1133: with a hundred attempts the delay was too large for its type, and the call panicked.
#[test]
fn bug_27_a_hundred_attempts_at_any_delay_panic_nowhere() {
    for base in [Duration::from_nanos(1), SECOND, Duration::from_secs(u64::MAX / 1_000_000_000), Duration::MAX] {
        for backoff in BACKOFFS {
            for jitter in JITTERS {
                let policy = waiting(base, Duration::MAX, backoff, jitter);
                let planned: Vec<_> = policy.clone().build().unwrap().schedule(100).collect();
                assert!(planned.len() == 100 && planned.iter().all(|wait| !wait.is_zero()), "{backoff:?} {jitter:?} {base:?}");
                waits(policy, 100);
            }
        }
    }
}

/// graph-node#4420, latte PR 208, weaviate PR 10179, cdrs-tokio#92: a shift by the number of the attempt panicked, or came out as zero and the loop ran hot.
#[test]
fn bug_28_without_jitter_no_wait_is_shorter_than_the_one_before() {
    for backoff in GROWING {
        for base in [Duration::from_nanos(1), Duration::from_nanos(3), millis(100), HOUR] {
            let policy = waiting(base, Duration::MAX, backoff, Jitter::None).build().unwrap();
            let waits: Vec<_> = policy.schedule(300).collect();
            assert!(waits.windows(2).all(|pair| pair[0] <= pair[1]), "{backoff:?} {base:?}");
            assert!(waits.iter().all(|wait| *wait >= base), "{backoff:?} {base:?}");
        }
        let waits = waits(waiting(millis(100), HOUR, backoff, Jitter::None), 300);
        assert!(waits.len() == 300 && waits.windows(2).all(|pair| pair[0] <= pair[1]), "{backoff:?}");
    }
    let policy = waiting(Duration::from_nanos(1), Duration::MAX, Backoff::Exponential, Jitter::None).build().unwrap();
    let doubled: Vec<_> = policy.schedule(70).collect();
    for (steps, wait) in (0..64).zip(&doubled) {
        assert_eq!(wait.as_nanos(), 1 << steps, "every width of a shift");
    }
    assert!(doubled[64..].iter().all(|wait| wait.as_nanos() == u128::from(u64::MAX)));
}

/// Polly.Contrib#24: a delay was cut to fit its integer, and came out negative after 50 retries.
#[test]
fn bug_29_fifty_retries_wait_as_arithmetic_without_bounds_says() {
    let (mut fibonacci, mut next) = (1_u128, 1_u128);
    for attempt in 1..=50_u32 {
        for (backoff, factor) in
            [(Backoff::Exponential, 1_u128 << (attempt - 1)), (Backoff::Linear, attempt.into()), (Backoff::Fibonacci, fibonacci)]
        {
            let exact = (SECOND.as_nanos() * factor).min(u64::MAX.into());
            let policy = waiting(SECOND, Duration::MAX, backoff, Jitter::None).build().unwrap();
            assert_eq!(policy.schedule(attempt).last().unwrap().as_nanos(), exact, "{backoff:?} {attempt}");
        }
        (fibonacci, next) = (next, fibonacci + next);
    }
}

/// failsafe#115: jitter longer than the delay made the sleep negative, and it threw now and then.
#[test]
fn bug_30_jitter_takes_no_wait_below_nothing_nor_above_the_cap() {
    let cap = millis(150);
    for ratio in [0.0, 0.5, 1.0] {
        let policy = waiting(millis(100), cap, Backoff::Constant, Jitter::Ratio(ratio)).retries(1_000).build().unwrap();
        let (mut shortest, mut longest) = (Duration::MAX, Duration::ZERO);
        for seed in 0..100 {
            let (clock, _seeded) = (TurnedClock::start(), seeded_jitter(seed));
            assert!(policy.run(lost).is_err());
            let waits = clock.waits();
            shortest = shortest.min(*waits.iter().min().unwrap());
            longest = longest.max(*waits.iter().max().unwrap());
        }
        let (low, high) = (millis(100).mul_f64(1.0 - ratio), millis(100).mul_f64(1.0 + ratio).min(cap));
        assert!(shortest >= low && longest <= high, "{ratio}: {shortest:?} to {longest:?}");
        assert!(shortest <= low + millis(1) && longest + millis(1) >= high, "{ratio}: all of it is used");
    }
}

/// failsafe#115: nothing said that a jitter of more than the delay makes no sense.
#[test]
fn bug_30_jitter_above_the_delay_is_refused_or_held_within() {
    #[resilient(retries = 1_000, base_delay = "100ms", jitter = Jitter::ratio(2.0), backoff = constant, budget = none)]
    fn expression() -> Result<(), ServiceError> {
        lost()
    }
    assert_refused("mistakes/jitter_above_one", "jitter = 25", &["a jitter ratio is between 0 and 1", "^^"]);
    for ratio in [2.0, 1.000_001, -0.1, f64::NAN, f64::INFINITY] {
        let error = Policy::builder().retries(1).jitter(ratio).build().unwrap_err();
        assert!(error.to_string().contains("`jitter` must be from 0 to 1"), "{error}");
    }
    let clock = TurnedClock::start();
    assert!(expression().is_err());
    assert!(clock.waits().iter().all(|wait| *wait <= millis(200)));
}

/// iggy#4084, backon PR 240, mullvadvpn-app PR 6331: the first wait was a step too long, and jitter went past the cap.
#[test]
fn bug_31_the_first_wait_is_the_base_and_jitter_stays_below_the_cap() {
    let schedule = |backoff, jitter| waiting(millis(100), millis(1_000), backoff, jitter).build().unwrap().schedule(6);
    let plain = |backoff| schedule(backoff, Jitter::None).map(|wait| wait.as_millis()).collect::<Vec<_>>();
    assert_eq!(plain(Backoff::Exponential), [100, 200, 400, 800, 1_000, 1_000]);
    assert_eq!(plain(Backoff::Linear), [100, 200, 300, 400, 500, 600]);
    assert_eq!(plain(Backoff::Fibonacci), [100, 100, 200, 300, 500, 800]);
    assert_eq!(plain(Backoff::Constant), [100; 6]);
    for backoff in BACKOFFS {
        for jitter in JITTERS {
            assert!(schedule(backoff, jitter).all(|longest| longest <= millis(1_000)), "{backoff:?} {jitter:?}");
            let waits = waits(waiting(millis(100), millis(1_000), backoff, jitter), 1_000);
            assert!(waits.iter().all(|wait| *wait <= millis(1_000)), "{backoff:?} {jitter:?}");
        }
    }
}

/// mullvadvpn-app PR 6331: a first delay above the longest one was taken as it came.
#[test]
fn bug_31_a_base_above_the_cap_is_refused() {
    #[resilient(retries = 3, base_delay = base, max_delay = max, jitter = none)]
    fn expressions(base: Duration, max: Duration) -> Result<(), ServiceError> {
        lost()
    }
    let code = r#"base_delay = "2s", max_delay = "1s""#;
    assert_refused("mistakes/base_delay_above_max_delay", code, &["`base_delay` (2s) is longer than `max_delay` (1s)"]);
    let words = ["`base_delay` (11s) is longer than the default `max_delay` (10s)"];
    assert_refused("mistakes/base_delay_above_default", "base_delay", &words);
    let words = ["the default `base_delay` (100ms) is longer than `max_delay` (50ms)"];
    assert_refused("mistakes/max_delay_below_default", "max_delay", &words);
    let error = waiting(2 * SECOND, SECOND, Backoff::Linear, Jitter::None).build().unwrap_err();
    assert!(error.to_string().contains("`base_delay` (2s) must be at most `max_delay` (1s)"), "{error}");
    let clock = TurnedClock::start();
    assert!(expressions(2 * SECOND, SECOND).is_err());
    assert_eq!(clock.waits(), [SECOND; 3], "what only shows at run time is held below the cap");
}

/// failsafe#216: one bound stood at both ends of a range, so that it was empty, and no test looked.
#[test]
fn bug_32_both_ends_of_every_range_are_those_that_are_documented() {
    for (backoff, jitter, low, high) in [
        (Backoff::Constant, Jitter::None, 1_000, 1_000),
        (Backoff::Constant, Jitter::Full, 0, 1_000),
        (Backoff::Constant, Jitter::Equal, 500, 1_000),
        (Backoff::Constant, Jitter::Ratio(0.25), 750, 1_250),
        (Backoff::Constant, Jitter::Ratio(1.0), 0, 2_000),
    ] {
        let waits = waits(waiting(millis(1_000), millis(60_000), backoff, jitter), 20_000);
        let (shortest, longest) = (waits.iter().min().unwrap(), waits.iter().max().unwrap());
        assert!((millis(low)..=millis(low + 2)).contains(shortest), "{jitter:?}: {shortest:?}");
        assert!((millis(high).saturating_sub(millis(2))..=millis(high)).contains(longest), "{jitter:?}: {longest:?}");
        let middle = millis(u64::midpoint(low, high));
        let below = waits.iter().filter(|wait| **wait <= middle).count();
        assert!(low == high || (9_500..=10_500).contains(&below), "{jitter:?}: {below} of 20000 in the lower half");
    }
}

/// tokio-retry#22: the first delay was also the factor, so that a base of 100 ms grew a hundredfold at every step.
#[test]
fn bug_33_the_schedule_of_a_policy_can_be_seen_and_the_documented_one_is_right() {
    let shown = "[100, 200, 400, 800, 1000]";
    assert_says("resilient-runtime/src/backoff.rs", &["policy.schedule(5)", shown]);
    assert_says("README.md", &["`exponential` (×2)"]);
    let policy = waiting(millis(100), SECOND, Backoff::Exponential, Jitter::None).build().unwrap();
    let schedule: Vec<_> = policy.schedule(5).map(|wait| wait.as_millis()).collect();
    assert_eq!(format!("{schedule:?}"), shown);
    for base in [1, 7, 100] {
        let policy = waiting(millis(base), HOUR, Backoff::Exponential, Jitter::None).build().unwrap();
        let expected = [base, 2 * base, 4 * base, 8 * base].map(millis);
        assert!(policy.schedule(4).eq(expected), "the factor is 2, whatever the base");
    }
}
