//! Breakers that open by a share of failures or slow calls, and breakers in shadow.

use crate::support::ServiceError;
use resilient::testing::TurnedClock;
use resilient::{CircuitBreaker, Policy, Rejected, State, Window, resilient};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

fn good() -> Result<(), ServiceError> {
    Ok(())
}

fn bad() -> Result<(), ServiceError> {
    Err(ServiceError::Reset)
}

/// The body's time is what its caller turns the clock by.
fn slow(clock: &TurnedClock, outcome: Result<(), ServiceError>) -> Result<(), ServiceError> {
    clock.advance(Duration::from_secs(3));
    outcome
}

fn is_refused(outcome: Result<(), ServiceError>) -> bool {
    matches!(outcome, Err(ServiceError::Rejected(Rejected::CircuitOpen(_))))
}

#[test]
fn a_share_of_the_last_calls_opens_it_and_never_fewer_than_the_minimum() {
    #[resilient(breaker(name = "half of ten", failure_ratio = 0.5, window = 10, minimum_calls = 8))]
    fn call(outcome: fn() -> Result<(), ServiceError>) -> Result<(), ServiceError> {
        outcome()
    }
    let clock = TurnedClock::start();
    let breaker = resilient::breaker("half of ten");
    for _ in 0..7 {
        assert_eq!(call(bad), Err(ServiceError::Reset));
    }
    assert_eq!((breaker.state(), breaker.counts().failures), (State::Closed, 7));
    assert_eq!(call(good), Ok(()), "a success opens nothing");
    assert_eq!(breaker.state(), State::Closed);
    assert_eq!(call(bad), Err(ServiceError::Reset));
    assert!(is_refused(call(good)));
    assert_eq!(breaker.counts().calls, 0);
    clock.advance(Duration::from_secs(5));
    assert_eq!((call(good), call(good)), (Ok(()), Ok(())));
    for _ in 0..20 {
        assert_eq!((call(good), call(good), call(bad)), (Ok(()), Ok(()), Err(ServiceError::Reset)));
    }
    assert_eq!((breaker.counts().calls, breaker.state()), (10, State::Closed));
}

#[test]
fn a_share_of_the_last_seconds_opens_it_and_what_is_older_is_forgotten() {
    #[resilient(breaker(name = "half of ten seconds", failure_ratio = 0.5, window = "10s", minimum_calls = 4))]
    fn call(outcome: fn() -> Result<(), ServiceError>) -> Result<(), ServiceError> {
        outcome()
    }
    let clock = TurnedClock::start();
    let breaker = resilient::breaker("half of ten seconds");
    for _ in 0..50 {
        assert!(call(bad).is_err() && call(bad).is_err() && call(bad).is_err());
        clock.advance(Duration::from_secs(10));
    }
    assert_eq!((breaker.state(), breaker.counts().calls), (State::Closed, 0), "three in ten seconds are too few");
    for outcome in [good, good, bad] {
        let _ = call(outcome);
        clock.advance(Duration::from_secs(2));
    }
    assert_eq!(breaker.state(), State::Closed);
    assert_eq!(call(bad), Err(ServiceError::Reset));
    assert!(is_refused(call(good)));
}

#[test]
fn what_says_nothing_of_the_service_is_no_call() {
    #[resilient(breaker(name = "neutral in a window", failure_ratio = 0.5, minimum_calls = 3, slow_call_duration = "1s"))]
    fn call(clock: &TurnedClock, outcome: fn() -> Result<(), ServiceError>) -> Result<(), ServiceError> {
        slow(clock, outcome())
    }
    let clock = TurnedClock::start();
    for _ in 0..100 {
        assert_eq!(call(&clock, || Err(ServiceError::BadQuestion)), Err(ServiceError::BadQuestion));
        assert!(call(&clock, || Err(ServiceError::SlowDown { wait: None })).is_err());
    }
    assert_eq!(resilient::breaker("neutral in a window").counts().calls, 0);
}

#[test]
fn answers_that_take_too_long_open_it_too() {
    #[resilient(breaker(name = "slow", slow_call_duration = "2s", slow_call_ratio = 0.5, window = 4, minimum_calls = 4))]
    fn call(clock: &TurnedClock, takes: u64, found: bool) -> Result<(), ServiceError> {
        clock.advance(Duration::from_secs(takes));
        if found { Ok(()) } else { Err(ServiceError::NotFound) }
    }
    let clock = TurnedClock::start();
    let breaker = resilient::breaker("slow");
    assert!(call(&clock, 2, true).is_ok() && call(&clock, 2, true).is_ok() && call(&clock, 3, true).is_ok());
    assert_eq!(breaker.counts().slow_calls, 1, "slow is longer than that");
    assert_eq!(call(&clock, 3, false), Err(ServiceError::NotFound));
    assert!(is_refused(call(&clock, 0, true)));
    clock.advance(Duration::from_secs(5));
    assert_eq!(call(&clock, 3, true), Ok(()));
    assert_eq!(breaker.state(), State::Open, "a slow probe has failed");
    clock.advance(Duration::from_secs(10));
    assert!(call(&clock, 1, true).is_ok() && call(&clock, 1, true).is_ok());
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn waiting_in_line_and_between_attempts_makes_no_call_slow() {
    #[resilient(
        retries = 1, base_delay = "30s", max_delay = "30s", jitter = none, deadline = "10m",
        rate = "1/min", max_wait = none,
        breaker(name = "slow queue", slow_call_duration = "2s", minimum_calls = 1, slow_call_ratio = 0.1)
    )]
    fn call(clock: &TurnedClock, fails: &mut bool) -> Result<(), ServiceError> {
        clock.advance(Duration::from_secs(1));
        if std::mem::take(fails) { Err(ServiceError::Reset) } else { Ok(()) }
    }
    let clock = TurnedClock::start();
    for _ in 0..3 {
        assert_eq!(call(&clock, &mut true), Ok(()));
    }
    assert!(clock.elapsed() > Duration::from_secs(240));
    let counts = resilient::breaker("slow queue").counts();
    assert_eq!((counts.calls, counts.failures, counts.slow_calls), (6, 3, 0));
}

#[tokio::test(start_paused = true)]
async fn async_bodies_are_slow_by_their_own_time_and_timed_out_ones_are_failures() {
    #[resilient(
        breaker(name = "slow async", slow_call_duration = "2s", failure_ratio = 1.0, window = "1m"),
        timeout = "4s",
        concurrency = 1
    )]
    async fn call(seconds: u64) -> Result<(), ServiceError> {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        Ok(())
    }
    let (first, second) = tokio::join!(call(1), call(2));
    assert!(first.is_ok() && second.is_ok(), "the second waited for the first");
    assert!(call(3).await.is_ok());
    assert!(matches!(call(9).await.unwrap_err().rejected(), Rejected::Timeout(_)));
    let counts = resilient::breaker("slow async").counts();
    assert_eq!((counts.calls, counts.failures, counts.slow_calls), (4, 1, 2));
}

#[test]
fn a_panic_is_a_failure_in_the_window_and_slow_if_it_was() {
    #[resilient(breaker(name = "slow panic", slow_call_duration = "2s", failure_ratio = 0.5))]
    fn call(clock: &TurnedClock) -> Result<(), ServiceError> {
        clock.advance(Duration::from_secs(3));
        panic!("body")
    }
    let clock = TurnedClock::start();
    assert!(catch_unwind(AssertUnwindSafe(|| call(&clock))).is_err());
    let counts = resilient::breaker("slow panic").counts();
    assert_eq!((counts.calls, counts.failures, counts.slow_calls), (1, 1, 1));
}

#[test]
fn settings_may_be_constants_of_any_suitable_type() {
    const CALLS: u32 = 50;
    const WHILE: Duration = Duration::from_secs(30);
    const WINDOW: Window = Window::calls(7);
    const HALF: f64 = 0.5;
    const TRIAL: bool = true;
    macro_rules! over {
        ($name:literal, $window:expr) => {{
            #[resilient(breaker(name = $name, failure_ratio = HALF, window = $window, minimum_calls = 7 - 2, shadow = TRIAL))]
            fn call(outcome: fn() -> Result<(), ServiceError>) -> Result<(), ServiceError> {
                outcome()
            }
            (0..5).for_each(|_| drop(call(bad)));
            assert_eq!((resilient::breaker($name).state(), call(good)), (State::Open, Ok(())), $name);
        }};
    }
    let _clock = TurnedClock::start();
    over!("constant calls", CALLS);
    over!("constant while", WHILE);
    over!("constant window", WINDOW);
    over!("unquoted while", 30s);
}

#[test]
fn in_shadow_nothing_is_refused_and_the_state_says_what_would_be() {
    #[resilient(retries = 2, base_delay = "1ms", breaker(name = "shadow", failure_threshold = 2, shadow = true))]
    fn call(outcome: fn() -> Result<(), ServiceError>) -> Result<(), ServiceError> {
        outcome()
    }
    let clock = TurnedClock::start();
    let breaker = resilient::breaker("shadow");
    assert_eq!(call(bad), Err(ServiceError::Reset));
    assert_eq!((breaker.state(), breaker.is_shadow()), (State::Open, true));
    assert_eq!(clock.waits().len(), 2, "retries go on as if there were no breaker");
    for _ in 0..10 {
        assert_eq!(call(good), Ok(()));
    }
    assert_eq!(breaker.state(), State::Open);
    clock.advance(Duration::from_secs(5));
    assert_eq!((call(good), call(good)), (Ok(()), Ok(())));
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn an_operator_puts_an_open_breaker_in_shadow_and_takes_it_out_again() {
    #[resilient(breaker(name = "put in shadow", failure_threshold = 1))]
    fn call(outcome: fn() -> Result<(), ServiceError>) -> Result<(), ServiceError> {
        outcome()
    }
    let _clock = TurnedClock::start();
    let breaker = resilient::breaker("put in shadow");
    assert!(call(bad).is_err() && is_refused(call(good)));
    breaker.shadow();
    assert_eq!(call(good), Ok(()));
    breaker.reset();
    assert!(!breaker.is_shadow());
    assert!(call(bad).is_err() && is_refused(call(good)));
}

#[test]
fn a_policy_has_the_same_windows_and_says_what_is_wrong_with_them() {
    let policy = |settings| Policy::builder().breaker_with("window of a policy", settings).build();
    let settings = CircuitBreaker::new().failure_ratio(0.5).window(Window::calls(2));
    assert_eq!(
        policy(settings.minimum_calls(3)).unwrap_err().to_string(),
        "breaker `window of a policy`: `minimum_calls` must be at most the calls of the `window`, which never holds more"
    );
    let _clock = TurnedClock::start();
    let policy = policy(settings).unwrap();
    assert!(policy.run(good).is_ok() && policy.run(bad).is_err());
    assert!(is_refused(policy.run(good)));
}
