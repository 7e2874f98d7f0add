use crate::support::{ServiceError, millis};
use resilient::testing::TurnedClock;
use resilient::{Rejected, resilient};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn never_more_than_the_limit_are_in_flight_and_newcomers_do_not_overtake() {
    static RUNNING: AtomicU32 = AtomicU32::new(0);
    static PEAK: AtomicU32 = AtomicU32::new(0);

    #[resilient(concurrency = 3, max_wait = none)]
    async fn call(id: u32, order: &std::cell::RefCell<Vec<u32>>) {
        order.borrow_mut().push(id);
        PEAK.fetch_max(RUNNING.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        tokio::time::sleep(millis(10)).await;
        RUNNING.fetch_sub(1, Ordering::SeqCst);
    }
    let order = std::cell::RefCell::default();
    futures_util::future::join_all((0..64).map(|id| call(id, &order))).await;
    assert_eq!((PEAK.load(Ordering::SeqCst), RUNNING.load(Ordering::SeqCst)), (3, 0));
    assert_eq!(order.into_inner(), (0..64).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn who_waits_longer_than_max_wait_is_refused_then_and_not_before() {
    #[resilient(bulkhead = "patience", concurrency = 1, max_wait = "1s")]
    async fn call(time: u64) -> Result<(), ServiceError> {
        tokio::time::sleep(millis(time)).await;
        Ok(())
    }
    let start = tokio::time::Instant::now();
    let (long, refused) = tokio::join!(call(3_000), async {
        let outcome = call(0).await;
        (outcome, start.elapsed())
    });
    assert_eq!(long, Ok(()));
    let rejected = refused.0.unwrap_err().rejected();
    assert!(matches!(rejected, Rejected::BulkheadFull(_)));
    assert_eq!((rejected.resource(), rejected.retry_after()), (Some("patience"), None));
    assert!((Duration::from_secs(1)..millis(1_002)).contains(&refused.1));
    assert_eq!((resilient::bulkhead("patience").in_flight(), resilient::bulkhead("patience").waiting()), (0, 0));
}

#[test]
fn a_recursive_call_of_one_thread_is_refused_after_its_wait_and_not_stuck() {
    #[resilient(concurrency = 1, max_wait = "2s")]
    fn call(depth: u32) -> Result<(), ServiceError> {
        if depth == 0 { Ok(()) } else { call(depth - 1) }
    }
    let clock = TurnedClock::start();
    assert!(matches!(call(1).unwrap_err().rejected(), Rejected::BulkheadFull(_)));
    assert_eq!(clock.elapsed(), Duration::from_secs(2));
    call(0).unwrap();
}

#[test]
fn threads_and_tasks_stand_in_one_line() {
    static RUNNING: AtomicU32 = AtomicU32::new(0);

    fn enter() {
        assert!(RUNNING.fetch_add(1, Ordering::SeqCst) < 2);
        std::thread::yield_now();
        RUNNING.fetch_sub(1, Ordering::SeqCst);
    }
    #[resilient(bulkhead = "both", concurrency = 2, max_wait = none)]
    fn in_thread() {
        enter();
    }
    #[resilient(bulkhead = "both", concurrency = 2, max_wait = none)]
    async fn in_task() {
        enter();
        tokio::task::yield_now().await;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..300).for_each(|_| in_thread()));
        }
        runtime.block_on(async {
            let tasks: Vec<_> = (0..8)
                .map(|_| {
                    tokio::spawn(async {
                        for _ in 0..300 {
                            in_task().await;
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        });
    });
    assert_eq!(resilient::bulkhead("both").in_flight(), 0);
}

#[test]
fn every_exit_gives_the_slot_back_once() {
    #[resilient(bulkhead = "exits", concurrency = 1, max_wait = "0s")]
    fn call(exit: fn() -> Result<(), ServiceError>) -> Result<(), ServiceError> {
        assert_eq!(resilient::bulkhead("exits").in_flight(), 1);
        exit()
    }
    #[resilient(bulkhead = "exits", max_wait = "0s", fallback = |_| panic!("fallback"))]
    fn falls_back() -> Result<(), ServiceError> {
        Err(ServiceError::Reset)
    }
    let _clock = TurnedClock::start();
    let exits: [fn() -> Result<(), ServiceError>; 3] = [|| Ok(()), || Err(ServiceError::Reset), || panic!("body")];
    for _ in 0..100 {
        for exit in exits {
            drop(std::panic::catch_unwind(|| call(exit)));
            assert_eq!(resilient::bulkhead("exits").in_flight(), 0);
        }
        assert!(std::panic::catch_unwind(falls_back).is_err());
    }
    assert_eq!(resilient::bulkhead("exits").in_flight(), 0);
}
