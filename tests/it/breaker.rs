use crate::support::{Counter, Named, ServiceError, poll_once, quiesce, ready};
use resilient::testing::TurnedClock;
use resilient::{Rejected, State, resilient};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

macro_rules! guarded {
    ($name:ident, $breaker:literal) => {
        #[resilient(breaker = $breaker)]
        fn $name(outcome: fn() -> Result<(), ServiceError>) -> Result<(), ServiceError> {
            outcome()
        }
    };
}

fn good() -> Result<(), ServiceError> {
    Ok(())
}

fn bad() -> Result<(), ServiceError> {
    Err(ServiceError::Reset)
}

#[test]
fn five_failures_open_it_and_open_means_that_the_body_does_not_run() {
    guarded!(call, "opens");
    let clock = TurnedClock::start();
    for _ in 0..5 {
        assert_eq!(call(bad), Err(ServiceError::Reset));
    }
    let rejected = call(|| panic!("the circuit is open")).unwrap_err().rejected();
    assert!(matches!(rejected, Rejected::CircuitOpen(_)));
    assert_eq!((rejected.resource(), rejected.attempts()), (Some("opens"), 0));
    assert!(rejected.function().ends_with("::call"));
    let wait = rejected.retry_after().unwrap();
    assert!(wait <= Duration::from_secs(5) && wait >= Duration::from_millis(4_500));
    clock.advance(wait.saturating_sub(Duration::from_nanos(1)));
    assert!(call(good).is_err());
    clock.advance(Duration::from_nanos(1));
    assert_eq!(resilient::breaker("opens").state(), State::HalfOpen);
    assert_eq!(call(good), Ok(()));
    assert_eq!(call(good), Ok(()));
    assert_eq!(resilient::breaker("opens").state(), State::Closed);
}

#[test]
fn functions_methods_and_monomorphisations_share_it_by_name() {
    struct Shop;
    impl Shop {
        #[resilient(breaker = "shared")]
        fn charge(&self) -> Result<(), ServiceError> {
            Err(ServiceError::Reset)
        }
    }
    #[resilient(breaker = "shared")]
    fn generic<T: Default>() -> Result<T, ServiceError> {
        Err(ServiceError::Reset)
    }
    #[resilient(breaker = "shared")]
    async fn asynchronous() -> Result<(), ServiceError> {
        Err(ServiceError::Reset)
    }
    let _clock = TurnedClock::start();
    assert!(Shop.charge().is_err() && generic::<u8>().is_err() && generic::<String>().is_err());
    assert!(ready(asynchronous()).is_err());
    assert_eq!(resilient::breaker("shared").failures(), 4);
    assert_eq!(Shop.charge(), Err(ServiceError::Reset));
    assert!(matches!(generic::<u8>().unwrap_err(), ServiceError::Rejected(_)));
}

#[test]
fn answers_prove_life_and_our_own_mistakes_and_throttling_say_nothing() {
    guarded!(call, "verdicts");
    let _clock = TurnedClock::start();
    let breaker = resilient::breaker("verdicts");
    let failures_after = |outcome: fn() -> Result<(), ServiceError>| {
        breaker.reset();
        assert!(call(bad).is_err() && call(bad).is_err());
        assert!(call(outcome).is_err());
        breaker.failures()
    };
    assert_eq!(failures_after(|| Err(ServiceError::NotFound)), 0);
    assert_eq!(failures_after(|| Err(ServiceError::BadQuestion)), 2);
    assert_eq!(failures_after(|| Err(ServiceError::SlowDown { wait: None })), 2);
    assert_eq!(failures_after(bad), 3);
}

#[test]
fn a_throttled_probe_keeps_its_place_until_the_hint_ends() {
    guarded!(call, "throttled probe");
    let clock = TurnedClock::start();
    (0..5).for_each(|_| drop(call(bad)));
    clock.advance(Duration::from_secs(5));
    let wait = Some(Duration::from_secs(30));
    assert_eq!(call(|| Err(ServiceError::SlowDown { wait: Some(Duration::from_secs(30)) })), Err(ServiceError::SlowDown { wait }));
    clock.advance(Duration::from_secs(29));
    assert!(matches!(call(good).unwrap_err().rejected(), Rejected::CircuitOpen(_)));
    clock.advance(Duration::from_secs(1));
    quiesce(&clock, &[Named::Breaker("throttled probe")]);
}

#[test]
fn a_hostile_hint_holds_a_probe_no_longer_than_max_retry_after() {
    guarded!(call, "hostile hint");
    let clock = TurnedClock::start();
    (0..5).for_each(|_| drop(call(bad)));
    clock.advance(Duration::from_secs(5));
    assert!(call(|| Err(ServiceError::SlowDown { wait: Some(Duration::MAX) })).is_err());
    clock.advance(Duration::from_secs(60));
    assert_eq!(call(good), Ok(()));
}

#[test]
fn a_panic_is_one_failure_and_goes_on() {
    guarded!(call, "panics");
    let clock = TurnedClock::start();
    for _ in 0..5 {
        assert!(catch_unwind(|| call(|| panic!("body"))).is_err());
    }
    assert!(matches!(call(good).unwrap_err().rejected(), Rejected::CircuitOpen(_)));
    clock.advance(Duration::from_secs(5));
    assert!(catch_unwind(|| call(|| panic!("probe"))).is_err());
    assert!(call(good).is_err(), "a probe that panics has failed");
    quiesce(&clock, &[Named::Breaker("panics")]);
}

#[test]
fn a_panicking_hook_loses_nothing() {
    #[resilient(retries = 2, retry_if = |_| panic!("hook"), breaker = "panicking hook", concurrency = 1)]
    fn call() -> Result<(), ServiceError> {
        Err(ServiceError::Reset)
    }
    let clock = TurnedClock::start();
    for _ in 0..1_000 {
        assert!(catch_unwind(AssertUnwindSafe(call)).is_err());
    }
    clock.advance(Duration::from_secs(600));
    assert_eq!(resilient::breaker("panicking hook").state(), State::Closed, "nothing was counted, nothing is held");
}

#[test]
fn a_retry_ends_with_the_real_error_when_the_circuit_opens() {
    #[resilient(retries = 9, breaker(name = "opens in retries", failure_threshold = 3), base_delay = "1ms")]
    fn call(attempts: &Counter) -> Result<(), ServiceError> {
        attempts.count();
        Err(ServiceError::Reset)
    }
    let _clock = TurnedClock::start();
    let attempts = Counter::default();
    assert_eq!(call(&attempts), Err(ServiceError::Reset));
    assert_eq!(attempts.get(), 3);
    assert!(matches!(call(&attempts).unwrap_err().rejected(), Rejected::CircuitOpen(_)));
    assert_eq!(attempts.get(), 3, "a refusal is not retried");
}

#[test]
fn an_open_circuit_takes_no_tokens() {
    #[resilient(breaker(name = "burns no tokens", failure_threshold = 1), bucket = "burns no tokens", rate = "1/day", burst = 3)]
    fn call() -> Result<(), ServiceError> {
        Err(ServiceError::Reset)
    }
    let _clock = TurnedClock::start();
    (0..100).for_each(|_| drop(call()));
    assert_eq!(resilient::bucket("burns no tokens").try_acquire(2), Ok(()));
}

#[test]
fn operators_steer_it_by_name() {
    guarded!(call, "steered");
    let breaker = resilient::breaker("steered");
    breaker.force_open();
    let rejected = call(good).unwrap_err().rejected();
    assert_eq!(rejected.retry_after(), None);
    breaker.disable();
    (0..100).for_each(|_| assert_eq!(call(bad), Err(ServiceError::Reset)));
    breaker.reset();
    assert_eq!(call(good), Ok(()));
}

/// A future that nobody polls is not stopped by its timeout either.
#[tokio::test(start_paused = true)]
async fn a_probe_that_nobody_polls_keeps_others_out_for_as_long_as_its_timeout() {
    #[resilient(timeout = "1s", breaker(name = "leased", failure_threshold = 1))]
    async fn call(outcome: Option<Result<(), ServiceError>>) -> Result<(), ServiceError> {
        match outcome {
            Some(outcome) => outcome,
            None => std::future::pending().await,
        }
    }
    use tokio::time::advance;

    assert!(call(Some(bad())).await.is_err());
    advance(Duration::from_secs(5)).await;
    let mut forgotten = Box::pin(call(None));
    assert!(poll_once(forgotten.as_mut()).is_pending());
    advance(Duration::from_millis(1_050)).await;
    assert!(matches!(call(Some(good())).await.unwrap_err().rejected(), Rejected::CircuitOpen(_)));
    advance(Duration::from_millis(100)).await;
    assert_eq!(call(Some(good())).await, Ok(()));
}
