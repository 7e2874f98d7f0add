//! The same without the attribute.

use crate::support::{Counter, ServiceError, configuring, millis};
use resilient::testing::TurnedClock;
use resilient::{CircuitBreaker, Jitter, Policy, Rate, Rejected, RetryBudget, Verdict};
use std::io;
use std::time::Duration;

#[test]
fn a_policy_runs_what_the_attribute_would() {
    let policy = Policy::builder().name("by hand").retries(3).jitter(Jitter::None).breaker("by hand").build().unwrap();
    let clock = TurnedClock::start();
    let attempts = Counter::default();
    let outcome = policy.run(|| if attempts.count() < 3 { Err(ServiceError::Reset) } else { Ok(attempts.get()) });
    assert_eq!((outcome, clock.waits()), (Ok(3), vec![millis(100), millis(200)]));
    resilient::breaker("by hand").force_open();
    let rejected = policy.run(|| Ok::<_, ServiceError>(())).unwrap_err().rejected();
    assert_eq!((rejected.function(), rejected.resource()), ("by hand", Some("by hand")));
}

#[tokio::test(start_paused = true)]
async fn futures_time_out_and_are_retried() {
    let policy = Policy::builder().retries(2).base_delay(millis(1)).timeout(millis(10)).build().unwrap();
    let attempts = Counter::default();
    let outcome: Result<(), ServiceError> = policy
        .run_async(|| {
            attempts.count();
            std::future::pending()
        })
        .await;
    assert!(matches!(outcome.unwrap_err().rejected(), Rejected::Timeout(_)));
    assert_eq!(attempts.get(), 3);
}

#[test]
fn a_verdict_by_hand_judges_values_too() {
    let policy = Policy::builder().retries(5).build().unwrap();
    let _clock = TurnedClock::start();
    let attempts = Counter::default();
    let outcome: io::Result<u32> = policy.run_with(
        || Ok(attempts.count()),
        |outcome| match outcome {
            Ok(4..) => Verdict::Success,
            _ => Verdict::TRANSIENT,
        },
    );
    assert_eq!(outcome.unwrap(), 4);
}

#[test]
fn clones_share_their_private_bucket() {
    let policy = Policy::builder().rate(1).max_wait(Duration::ZERO).build().unwrap();
    let _clock = TurnedClock::start();
    assert!(policy.clone().run(|| Ok::<_, ServiceError>(())).is_ok());
    let rejected = policy.run(|| Ok::<_, ServiceError>(())).unwrap_err().rejected();
    assert_eq!(rejected.function(), "policy", "what has no name of its own");
}

#[test]
fn every_mistake_is_told_at_once() {
    let error = Policy::builder()
        .name("")
        .base_delay(Duration::from_secs(11))
        .jitter(f64::NAN)
        .budget(-1.0)
        .timeout(Duration::ZERO)
        .deadline(Duration::ZERO)
        .breaker_with("nonsense", CircuitBreaker::new().success_threshold(0))
        .rate(Rate::per_second(0))
        .concurrency(0)
        .bulkhead("")
        .build()
        .unwrap_err();
    assert_eq!(error.problems().count(), 10, "{error}");
    assert!(error.to_string().contains("`base_delay` (11s) must be at most `max_delay` (10s)"));
}

#[test]
fn a_configuration_reaches_resources_in_use_and_is_forgotten_by_the_next() {
    let policy = Policy::builder()
        .retries(1)
        .jitter(Jitter::None)
        .base_delay(Duration::from_nanos(1))
        .shared_budget("configured here")
        .build()
        .unwrap();
    let _turn = configuring();
    let clock = TurnedClock::start();
    let retries = || {
        let before = clock.waits().len();
        (0..200).for_each(|_| drop(policy.run(|| Err::<(), _>(ServiceError::Reset))));
        clock.waits().len() - before
    };
    resilient::configure().budget("configured here", RetryBudget::new().pool(3)).lenient().install().unwrap();
    assert_eq!(retries(), 3);
}
