//! Futures dropped at every point, after which nothing is held.

use crate::support::{ServiceError, cancel_at_every_point, millis, poll_once};
use resilient::{State, resilient};
use std::pin::pin;
use std::time::Duration;

#[resilient(
    retries = 2,
    jitter = none,
    base_delay = "10ms",
    timeout = "50ms",
    breaker(name = "cancelled", failure_threshold = 1_000),
    bucket = "cancelled",
    rate = 1_000,
    burst = 100,
    bulkhead = "cancelled",
    concurrency = 1
)]
async fn call(fails: bool) -> Result<(), ServiceError> {
    tokio::time::sleep(millis(20)).await;
    if fails { Err(ServiceError::Reset) } else { Ok(()) }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_held_wherever_a_call_is_dropped() {
    call(false).await.unwrap();
    for fails in [true, false] {
        cancel_at_every_point(
            || call(fails),
            async || {
                assert_eq!((resilient::bulkhead("cancelled").in_flight(), resilient::bulkhead("cancelled").waiting()), (0, 0));
                tokio::time::advance(Duration::from_secs(1)).await;
                assert_eq!(resilient::bucket("cancelled").try_acquire(100), Ok(()), "no token is lost for good");
                tokio::time::advance(Duration::from_secs(1)).await;
            },
        )
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_dropped_at_any_point_gives_its_place_back() {
    #[resilient(breaker(name = "cancelled probe", failure_threshold = 1))]
    async fn probe(fails: bool) -> Result<(), ServiceError> {
        for _ in 0..5 {
            tokio::task::yield_now().await;
        }
        if fails { Err(ServiceError::Reset) } else { Ok(()) }
    }
    let breaker = resilient::breaker("cancelled probe");
    assert!(probe(true).await.is_err());
    tokio::time::advance(Duration::from_secs(5)).await;
    cancel_at_every_point(|| probe(false), async || assert_eq!(breaker.state(), State::HalfOpen)).await;
    probe(false).await.unwrap();
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_hangs_cannot_wedge_the_breaker() {
    #[resilient(breaker(name = "hanging probe", failure_threshold = 1))]
    async fn probe(outcome: Option<Result<(), ServiceError>>) -> Result<(), ServiceError> {
        match outcome {
            Some(outcome) => outcome,
            None => std::future::pending().await,
        }
    }
    assert!(probe(Some(Err(ServiceError::Reset))).await.is_err());
    tokio::time::advance(Duration::from_secs(5)).await;
    let mut hanging = pin!(probe(None));
    assert!(poll_once(hanging.as_mut()).is_pending());
    assert!(probe(Some(Ok(()))).await.is_err());
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(probe(Some(Ok(()))).await, Ok(()));
    assert_eq!(probe(Some(Ok(()))).await, Ok(()));
    assert_eq!(resilient::breaker("hanging probe").state(), State::Closed);
}

#[tokio::test]
async fn an_aborted_task_and_a_lost_select_hold_nothing() {
    #[resilient(bulkhead = "aborted", concurrency = 1, max_wait = none)]
    async fn forever() {
        std::future::pending::<()>().await;
    }
    let bulkhead = resilient::bulkhead("aborted");
    let task = tokio::spawn(forever());
    while bulkhead.in_flight() == 0 {
        tokio::task::yield_now().await;
    }
    let most_waiting = std::cell::Cell::new(0);
    tokio::select! {
        biased;
        () = forever() => unreachable!(),
        () = async { most_waiting.set(bulkhead.waiting()) } => {}
    }
    assert_eq!((most_waiting.get(), bulkhead.waiting()), (1, 0));
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    assert_eq!(bulkhead.in_flight(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_grant_and_a_timeout_at_the_same_instant_lose_no_slot() {
    #[resilient(bulkhead = "same instant", concurrency = 8, max_wait = "10ms")]
    async fn call() -> Result<(), ServiceError> {
        tokio::time::sleep(millis(10)).await;
        Ok(())
    }
    for _ in 0..50 {
        futures_util::future::join_all((0..32).map(|_| call())).await;
        assert_eq!((resilient::bulkhead("same instant").in_flight(), resilient::bulkhead("same instant").waiting()), (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_poll_is_one_failure_and_a_drop_while_unwinding_is_none() {
    #[resilient(breaker = "panicking poll")]
    async fn call(panics: bool) -> Result<(), ServiceError> {
        tokio::task::yield_now().await;
        assert!(!panics, "body");
        std::future::pending().await
    }
    let task = tokio::spawn(call(true));
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(resilient::breaker("panicking poll").failures(), 1);
    let unwinding = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let mut held = Box::pin(call(false));
        assert!(poll_once(held.as_mut()).is_pending());
        panic!("elsewhere");
    }));
    assert!(unwinding.is_err());
    assert_eq!(resilient::breaker("panicking poll").failures(), 1);
}
