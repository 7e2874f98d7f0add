use crate::support::{ServiceError, millis, ready};
use resilient::testing::TurnedClock;
use resilient::{Rate, Rejected, TryAcquireError, resilient};
use std::time::Duration;

#[test]
fn a_private_rate_spaces_the_calls_of_one_function() {
    #[resilient(rate = 10)]
    fn call() -> Result<(), ServiceError> {
        Ok(())
    }
    let clock = TurnedClock::start();
    for _ in 0..5 {
        call().unwrap();
    }
    assert_eq!(clock.waits(), [millis(100); 4]);
    clock.advance(Duration::from_secs(3_600));
    call().unwrap();
    call().unwrap();
    assert_eq!(clock.waits().len(), 5, "after any quiet time one goes at once, and only one");
}

#[test]
fn a_burst_goes_at_once_and_rates_have_their_own_units() {
    #[resilient(rate = "30/min", burst = 3)]
    async fn call() -> Result<(), ServiceError> {
        Ok(())
    }
    let clock = TurnedClock::start();
    for _ in 0..5 {
        ready(call()).unwrap();
    }
    assert_eq!(clock.waits(), [Duration::from_secs(2); 2]);
}

#[test]
fn a_wait_longer_than_max_wait_is_refused_at_once_and_takes_nothing() {
    #[resilient(rate = "1/s", max_wait = "1s")]
    fn call() -> Result<(), ServiceError> {
        Ok(())
    }
    #[resilient(rate = "1/s", max_wait = "999ms")]
    fn impatient() -> Result<(), ServiceError> {
        Ok(())
    }
    let clock = TurnedClock::start();
    call().unwrap();
    call().unwrap();
    assert_eq!(clock.waits(), [Duration::from_secs(1)]);
    impatient().unwrap();
    for _ in 0..10 {
        let rejected = impatient().unwrap_err().rejected();
        assert!(matches!(rejected, Rejected::RateLimited(_)));
        assert_eq!((rejected.retry_after(), rejected.resource()), (Some(Duration::from_secs(1)), None));
    }
    clock.advance(Duration::from_secs(1));
    impatient().unwrap();
}

#[test]
fn a_function_that_only_waits_needs_no_result() {
    #[resilient(rate = 2, max_wait = none)]
    fn tick() -> u32 {
        7
    }
    #[resilient(rate = 2, max_wait = none)]
    async fn tick_async() -> u32 {
        7
    }
    let clock = TurnedClock::start();
    assert_eq!((tick(), tick(), tick()), (7, 7, 7));
    assert_eq!((ready(tick_async()), ready(tick_async())), (7, 7));
    assert_eq!(clock.waits(), [millis(500); 3]);
}

#[test]
fn a_bucket_is_shared_by_name_between_sync_async_and_hand() {
    #[resilient(bucket = "shared bucket", rate = "1/s", burst = 3, max_wait = "0s")]
    fn one() -> Result<(), ServiceError> {
        Ok(())
    }
    #[resilient(bucket = "shared bucket", max_wait = "0s")]
    async fn other() -> Result<(), ServiceError> {
        Ok(())
    }
    let _clock = TurnedClock::start();
    one().unwrap();
    ready(other()).unwrap();
    let bucket = resilient::bucket("shared bucket");
    assert_eq!(bucket.try_acquire(1), Ok(()));
    assert_eq!(bucket.try_acquire(1), Err(TryAcquireError::NotYet { retry_after: Duration::from_secs(1) }));
    assert_eq!(bucket.try_acquire(4), Err(TryAcquireError::Impossible { asked: 4, burst: 3 }));
    assert_eq!(one().unwrap_err().rejected().resource(), Some("shared bucket"));
}

#[test]
fn every_attempt_takes_a_token() {
    #[resilient(retries = 2, base_delay = "1ms", jitter = none, rate = "1/s")]
    fn call() -> Result<(), ServiceError> {
        Err(ServiceError::Reset)
    }
    let clock = TurnedClock::start();
    assert!(call().is_err());
    assert_eq!(clock.waits(), [millis(1), millis(999), millis(2), millis(998)]);
}

#[test]
fn a_server_that_asks_for_quiet_pauses_everybody_on_that_bucket() {
    #[resilient(bucket = "paused", rate = 1_000)]
    fn throttled() -> Result<(), ServiceError> {
        Err(ServiceError::SlowDown { wait: Some(Duration::from_secs(2)) })
    }
    #[resilient(bucket = "paused")]
    fn other() -> Result<(), ServiceError> {
        Ok(())
    }
    let clock = TurnedClock::start();
    assert!(throttled().is_err());
    other().unwrap();
    assert!((Duration::from_secs(2)..=millis(2_001)).contains(&clock.elapsed()), "{:?}", clock.elapsed());
    other().unwrap();
    assert_eq!(clock.waits().len(), 2, "and it does not end in a bunch");
}

#[test]
fn a_hostile_hint_pauses_no_longer_than_max_retry_after() {
    #[resilient(bucket = "hostile", rate = 1_000, max_retry_after = "3s")]
    fn throttled() -> Result<(), ServiceError> {
        Err(ServiceError::SlowDown { wait: Some(Duration::MAX) })
    }
    #[resilient(bucket = "hostile")]
    fn other() -> Result<(), ServiceError> {
        Ok(())
    }
    let clock = TurnedClock::start();
    assert!(throttled().is_err());
    other().unwrap();
    assert!(clock.elapsed() <= millis(3_001));
}

#[test]
fn the_longest_wait_of_the_slowest_rate_works() {
    const YEARLY: Rate = Rate::per(1, Duration::from_secs(365 * 86_400));

    #[resilient(rate = YEARLY, max_wait = none)]
    fn call() -> u32 {
        7
    }
    let clock = TurnedClock::start();
    assert_eq!((call(), call()), (7, 7));
    assert_eq!(clock.waits(), [Duration::from_secs(365 * 86_400)]);
    clock.advance(Duration::MAX);
    assert_eq!(call(), 7);
}

#[tokio::test(start_paused = true)]
async fn waiters_start_in_order_one_interval_apart_and_never_above_the_rate() {
    #[resilient(bucket = "fifo", rate = 10, max_wait = none)]
    async fn call(started: &std::cell::RefCell<Vec<(u32, Duration)>>, id: u32, zero: tokio::time::Instant) {
        started.borrow_mut().push((id, zero.elapsed()));
    }
    let (started, zero) = (std::cell::RefCell::default(), tokio::time::Instant::now());
    futures_util::future::join_all((0..50).map(|id| call(&started, id, zero))).await;
    let expected: Vec<_> = (0..50).map(|id| (id, millis(100) * id)).collect();
    let started = started.into_inner();
    assert_eq!(started.iter().map(|&(id, _)| id).collect::<Vec<_>>(), (0..50).collect::<Vec<_>>());
    for ((_, at), (_, due)) in started.iter().zip(&expected) {
        assert!(at >= due && *at < *due + millis(2), "{at:?} for {due:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_caller_who_gave_up_had_reserved_goes_to_the_next() {
    #[resilient(bucket = "given up", rate = 1, max_wait = none)]
    async fn call() -> tokio::time::Instant {
        tokio::time::Instant::now()
    }
    let start = call().await;
    let mut leaving = Box::pin(call());
    assert!(futures_util::poll!(&mut leaving).is_pending());
    let mut later = Box::pin(call());
    assert!(futures_util::poll!(&mut later).is_pending());
    drop(leaving);
    assert!(call().await - start < millis(1_002), "the slot of the one who left");
    assert!(later.await - start < millis(2_002));
}

#[tokio::test(start_paused = true)]
async fn a_waiter_asks_the_breaker_again_before_it_runs() {
    #[resilient(bucket = "waits and asks", rate = 1, breaker = "waits and asks")]
    async fn call() -> Result<(), ServiceError> {
        Ok(())
    }
    call().await.unwrap();
    let mut waiting = Box::pin(call());
    assert!(futures_util::poll!(&mut waiting).is_pending());
    resilient::breaker("waits and asks").force_open();
    assert!(matches!(waiting.await.unwrap_err().rejected(), Rejected::CircuitOpen(_)));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_waited_too_long_for_a_slot_is_not_used_late() {
    #[resilient(bucket = "late", rate = 10, bulkhead = "late", concurrency = 1, max_wait = none)]
    async fn call(time: u64) -> tokio::time::Instant {
        let start = tokio::time::Instant::now();
        tokio::time::sleep(millis(time)).await;
        start
    }
    let starts = futures_util::future::join_all([call(2_000), call(0), call(0), call(0), call(0)]).await;
    let gaps: Vec<_> = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps[1..].iter().all(|gap| *gap >= millis(99)), "{gaps:?}");
}
