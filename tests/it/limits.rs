//! `timeout` and `deadline`.

use crate::support::{Counter, ServiceError, millis};
use resilient::{Rejected, resilient};
use std::future::pending;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn an_attempt_that_takes_too_long_is_stopped_and_retried() {
    #[resilient(retries = 2, base_delay = "1ms", jitter = none, timeout = "100ms")]
    async fn call(attempts: &Counter, hanging: u32) -> Result<u32, ServiceError> {
        if attempts.count() <= hanging {
            pending::<()>().await;
        }
        Ok(attempts.get())
    }
    let start = tokio::time::Instant::now();
    assert_eq!(call(&Counter::default(), 2).await, Ok(3));
    assert_eq!(start.elapsed(), millis(203));
    let rejected = call(&Counter::default(), 9).await.unwrap_err().rejected();
    assert!(matches!(rejected, Rejected::Timeout(_)));
    assert_eq!((rejected.attempts(), rejected.retry_after()), (3, None));
    assert!(rejected.to_string().contains("100ms"), "{rejected}");
}

#[tokio::test(start_paused = true)]
async fn a_timeout_is_a_failure_whatever_retry_if_says_and_retry_if_sees_it() {
    #[resilient(
        retries = 2,
        retry_if = |error| !matches!(error, ServiceError::Rejected(Rejected::Timeout(_))),
        timeout = "10ms",
        breaker(name = "timeouts", failure_threshold = 2)
    )]
    async fn call(attempts: &Counter) -> Result<(), ServiceError> {
        attempts.count();
        pending().await
    }
    let attempts = Counter::default();
    assert!(matches!(call(&attempts).await.unwrap_err().rejected(), Rejected::Timeout(_)));
    assert_eq!((attempts.get(), resilient::breaker("timeouts").failures()), (1, 1));
    assert!(matches!(call(&attempts).await.unwrap_err().rejected(), Rejected::Timeout(_)));
    assert!(matches!(call(&attempts).await.unwrap_err().rejected(), Rejected::CircuitOpen(_)));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_ready_as_its_time_ends_has_won() {
    #[resilient(timeout = "100ms")]
    async fn call(time: u64) -> Result<(), ServiceError> {
        tokio::time::sleep(millis(time)).await;
        Ok(())
    }
    assert_eq!(call(99).await, Ok(()));
    assert!(call(101).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_uses_up_tokios_budget_is_stopped_all_the_same() {
    #[resilient(timeout = "100ms")]
    async fn busy() -> Result<(), ServiceError> {
        loop {
            tokio::task::consume_budget().await;
            tokio::time::advance(millis(1)).await;
        }
    }
    assert!(matches!(busy().await.unwrap_err().rejected(), Rejected::Timeout(_)));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_has_no_time_left_does_not_begin() {
    #[resilient(deadline = left, concurrency = 1)]
    fn at_once(left: Duration, runs: &Counter) -> Result<(), ServiceError> {
        runs.count();
        Ok(())
    }
    #[resilient(deadline = left, retries = 2)]
    async fn in_time(left: Duration, runs: &Counter) -> Result<(), ServiceError> {
        runs.count();
        Ok(())
    }
    let runs = Counter::default();
    for rejected in [at_once(Duration::ZERO, &runs).unwrap_err(), in_time(Duration::ZERO, &runs).await.unwrap_err()] {
        let rejected = rejected.rejected();
        assert!(matches!(rejected, Rejected::DeadlineExceeded(_)), "{rejected}");
        assert_eq!(rejected.attempts(), 0);
    }
    assert_eq!(runs.get(), 0);
    at_once(Duration::from_nanos(1), &runs).unwrap();
    in_time(Duration::from_nanos(1), &runs).await.unwrap();
    assert_eq!(runs.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_covers_attempts_and_waits_and_stops_the_body() {
    #[resilient(retries = 9, base_delay = "30ms", backoff = constant, jitter = none, timeout = "50ms", deadline = "200ms")]
    async fn call(attempts: &Counter) -> Result<(), ServiceError> {
        attempts.count();
        pending().await
    }
    let (start, attempts) = (tokio::time::Instant::now(), Counter::default());
    let rejected = call(&attempts).await.unwrap_err().rejected();
    assert!(matches!(rejected, Rejected::DeadlineExceeded(_)), "{rejected}");
    assert_eq!((rejected.attempts(), attempts.get(), start.elapsed()), (3, 3, millis(200)));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_is_a_failure_only_where_it_left_the_attempt_its_time() {
    #[resilient(deadline = "100ms", breaker = "its half")]
    async fn whole() -> Result<(), ServiceError> {
        pending().await
    }
    #[resilient(timeout = "80ms", deadline = "100ms", retries = 1, base_delay = "1ms", jitter = none, breaker = "full timeout")]
    async fn cut() -> Result<(), ServiceError> {
        pending().await
    }
    #[resilient(deadline = "100ms", breaker = "less than half", bucket = "less than half", rate = 16)]
    async fn late() -> Result<(), ServiceError> {
        pending().await
    }
    assert!(matches!(whole().await.unwrap_err().rejected(), Rejected::DeadlineExceeded(_)));
    assert_eq!(resilient::breaker("its half").failures(), 1);
    assert!(matches!(cut().await.unwrap_err().rejected(), Rejected::DeadlineExceeded(_)));
    assert_eq!(resilient::breaker("full timeout").failures(), 1, "the first had its full timeout, the second had not");
    assert!(resilient::bucket("less than half").try_acquire(1).is_ok());
    assert!(matches!(late().await.unwrap_err().rejected(), Rejected::DeadlineExceeded(_)));
    assert_eq!(resilient::breaker("less than half").failures(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_token_beyond_the_deadline_is_refused_at_once() {
    #[resilient(rate = 1, deadline = "500ms")]
    async fn call() -> Result<(), ServiceError> {
        Ok(())
    }
    call().await.unwrap();
    let start = tokio::time::Instant::now();
    assert!(matches!(call().await.unwrap_err().rejected(), Rejected::RateLimited(_)));
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_slot_ends_with_the_deadline() {
    #[resilient(concurrency = 1, deadline = "500ms")]
    async fn call(time: u64) -> Result<(), ServiceError> {
        tokio::time::sleep(millis(time)).await;
        Ok(())
    }
    let (held, refused) = tokio::join!(call(400), async {
        tokio::task::yield_now().await;
        let _ = call(450).await;
    });
    assert_eq!((held, refused), (Ok(()), ()));
    let (_, refused) = tokio::join!(call(10_000), call(0));
    assert!(matches!(refused.unwrap_err().rejected(), Rejected::DeadlineExceeded(_)));
}

#[tokio::test(start_paused = true)]
async fn the_longest_durations_work() {
    #[resilient(retries = 1, timeout = Duration::MAX, deadline = Duration::MAX, max_retry_after = Duration::MAX, rate = 10, max_wait = Duration::MAX)]
    async fn call(attempts: &Counter) -> Result<(), ServiceError> {
        tokio::time::sleep(millis(1)).await;
        if attempts.count() == 1 { Err(ServiceError::SlowDown { wait: Some(millis(5)) }) } else { Ok(()) }
    }
    assert_eq!(call(&Counter::default()).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn waits_never_block_the_executor() {
    #[resilient(retries = 1, base_delay = "20ms", jitter = none)]
    async fn call(attempts: &Counter) -> Result<(), ServiceError> {
        if attempts.count() == 1 { Err(ServiceError::Reset) } else { Ok(()) }
    }
    let attempts = Counter::default();
    let mut ticks = 0;
    let mut waiting = std::pin::pin!(call(&attempts));
    loop {
        tokio::select! {
            biased;
            outcome = &mut waiting => break assert_eq!(outcome, Ok(())),
            () = tokio::time::sleep(millis(1)) => ticks += 1,
        }
    }
    assert!(ticks > 1, "the other task went on while this one waited");
}
