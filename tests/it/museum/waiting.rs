//! Bugs 63 to 66: slots that nobody gives back, or that are given back twice, and work that goes on after its time.

use super::pages::{assert_refused, assert_says};
use crate::support::{Counter, Named, ServiceError, millis, poll_once, quiesce, quiesce_paused};
use resilient::testing::TurnedClock;
use resilient::{Rejected, resilient};
use std::cell::Cell;
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// All the slots are there, and no more than them.
async fn assert_free(name: &str, slots: u32) {
    let bulkhead = resilient::bulkhead(name);
    assert_eq!((bulkhead.in_flight(), bulkhead.waiting(), bulkhead.limit()), (0, 0, slots), "{name}");
    let policy = resilient::Policy::builder().bulkhead(name).max_wait(Duration::ZERO).build().unwrap();
    let mut held: Vec<_> = (0..slots).map(|_| Box::pin(policy.run_async(pending::<Result<(), ServiceError>>))).collect();
    for held in &mut held {
        assert!(poll_once(held.as_mut()).is_pending(), "{name}: a slot is lost");
    }
    let full = policy.run_async(async || Ok::<_, ServiceError>(())).await.unwrap_err().rejected();
    assert!(matches!(full, Rejected::BulkheadFull(_)), "{name}: a slot was given back twice");
}

/// failsafe#393, concurrency-limits PR 179: a waiter that had timed out was handed a permit, which nobody gave back.
#[tokio::test(start_paused = true)]
async fn bug_63_a_slot_that_is_free_in_the_moment_in_which_patience_ends_is_not_lost() {
    #[resilient(bulkhead = "patience ends", concurrency = 8, max_wait = "10ms")]
    async fn call(time: u64) -> Result<(), ServiceError> {
        tokio::time::sleep(millis(time)).await;
        Ok(())
    }
    for round in 0..100 {
        let calls = (0..40).map(|number| call(9 + (number + round) % 3));
        let outcomes = futures_util::future::join_all(calls).await;
        assert!(outcomes.iter().filter(|outcome| outcome.is_ok()).count() >= 8);
        assert_free("patience ends", 8).await;
    }
    quiesce_paused(&[Named::Bulkhead("patience ends")]).await;
}

/// failsafe#393: a waiter that is dropped before, after and while its permit is handed over.
#[tokio::test(start_paused = true)]
async fn bug_63_a_waiter_that_leaves_at_any_point_takes_no_slot_along() {
    #[resilient(bulkhead = "leaves", concurrency = 1, max_wait = "50ms")]
    async fn call(time: u64) -> Result<(), ServiceError> {
        tokio::time::sleep(millis(time)).await;
        Ok(())
    }
    for held in [0, 7, 14, 21, 49, 50, 51, 70] {
        for polls in 0..12 {
            let once = async |time| {
                let _ = call(time).await;
                pending::<()>().await;
            };
            for leaves in 0..3 {
                let mut calls = [held, 5, 5].map(|time| Some(Box::pin(once(time))));
                for _ in 0..polls {
                    calls.iter_mut().flatten().for_each(|call| assert!(poll_once(call.as_mut()).is_pending()));
                    tokio::time::advance(millis(7)).await;
                }
                calls[leaves] = None;
                assert!(resilient::bulkhead("leaves").in_flight() <= 1);
                calls.iter_mut().flatten().for_each(|call| assert!(poll_once(call.as_mut()).is_pending()));
                drop(calls);
                assert_free("leaves", 1).await;
            }
        }
    }
    quiesce_paused(&[Named::Bulkhead("leaves")]).await;
}

/// concurrency-limits PR 179: it took a release and a timeout in two threads, which happened a few times a day.
#[test]
fn bug_63_threads_whose_patience_ends_while_others_release_lose_no_slot() {
    #[resilient(bulkhead = "patient threads", concurrency = 2, max_wait = "1ms")]
    fn call(running: &AtomicU32) -> Result<(), ServiceError> {
        assert!(running.fetch_add(1, Ordering::SeqCst) < 2);
        std::thread::yield_now();
        running.fetch_sub(1, Ordering::SeqCst);
        Ok(())
    }
    let (clock, running, refused, ran) = (TurnedClock::start(), AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0));
    let barrier = std::sync::Barrier::new(8);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            let (handle, barrier, running, refused, ran) = (clock.handle(), &barrier, &running, &refused, &ran);
            scope.spawn(move || {
                let _clock = TurnedClock::enter(handle);
                barrier.wait();
                for _ in 0..2_000 {
                    let counter = if call(running).is_ok() { ran } else { refused };
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(ran.into_inner() + refused.into_inner(), 16_000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(assert_free("patient threads", 2));
    quiesce(&clock, &[Named::Bulkhead("patient threads")]);
}

/// resilience4j#332, resilience4j PR 264, Hystrix PR 1198: a call that was cancelled released nothing, or twice, and so did a fallback.
#[test]
fn bug_64_every_way_out_of_a_sync_call_releases_its_slot_once() {
    type Exit = fn() -> Result<(), ServiceError>;
    #[resilient(bulkhead = "ways out", concurrency = 2, max_wait = "0s")]
    fn plain(exit: Exit) -> Result<(), ServiceError> {
        assert_eq!(resilient::bulkhead("ways out").in_flight(), 1);
        exit()
    }
    #[resilient(bulkhead = "ways out", max_wait = "0s", retries = 2, deadline = "1s", budget = none)]
    fn retried(exit: Exit) -> Result<(), ServiceError> {
        assert_eq!(resilient::bulkhead("ways out").in_flight(), 1);
        exit()
    }
    #[resilient(bulkhead = "ways out", max_wait = "0s", fallback = |_| instead())]
    fn falls_back(exit: Exit, instead: Exit) -> Result<(), ServiceError> {
        exit()
    }
    let clock = TurnedClock::start();
    let exits: [Exit; 4] = [
        || Ok(()),
        || Err(ServiceError::Reset),
        || Err(ServiceError::SlowDown { wait: Some(Duration::from_secs(9)) }),
        || panic!("body"),
    ];
    let free = || assert_eq!(resilient::bulkhead("ways out").in_flight(), 0);
    for _ in 0..50 {
        for exit in exits {
            let _ = catch_unwind(|| plain(exit));
            free();
            let _ = catch_unwind(|| retried(exit));
            free();
            for instead in exits {
                let _ = catch_unwind(|| falls_back(exit, instead));
                free();
            }
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(assert_free("ways out", 2));
    quiesce(&clock, &[Named::Bulkhead("ways out")]);
}

/// resilience4j#332, resilience4j PR 264, Hystrix PR 1198: the same in tasks, which can end without an outcome.
#[tokio::test(start_paused = true)]
async fn bug_64_every_way_out_of_an_async_call_releases_its_slot_once() {
    #[derive(Clone, Copy, PartialEq)]
    enum Exit {
        Good,
        Bad,
        Panic,
        Hang,
    }
    const EXITS: [Exit; 4] = [Exit::Good, Exit::Bad, Exit::Panic, Exit::Hang];
    async fn leave(exit: Exit) -> Result<(), ServiceError> {
        tokio::time::sleep(millis(3)).await;
        match exit {
            Exit::Good => Ok(()),
            Exit::Bad => Err(ServiceError::Reset),
            Exit::Panic => panic!("body"),
            Exit::Hang => pending().await,
        }
    }
    #[resilient(bulkhead = "async ways out", concurrency = 2, max_wait = "5ms", timeout = "10ms", deadline = "30ms", retries = 1)]
    async fn call(exit: Exit) -> Result<(), ServiceError> {
        assert_eq!(resilient::bulkhead("async ways out").in_flight(), 1);
        leave(exit).await
    }
    #[resilient(bulkhead = "async ways out", timeout = "10ms", fallback = async |_| leave(instead).await)]
    async fn falls_back(exit: Exit, instead: Exit) -> Result<(), ServiceError> {
        leave(exit).await
    }
    let calls = |exit, instead| -> [Pin<Box<dyn Future<Output = Result<(), ServiceError>>>>; 2] {
        [Box::pin(call(exit)), Box::pin(falls_back(exit, instead))]
    };
    for exit in EXITS {
        for instead in EXITS {
            for polls in 0..40 {
                for mut call in calls(exit, instead) {
                    for _ in 0..polls {
                        let polled = catch_unwind(AssertUnwindSafe(|| poll_once(call.as_mut())));
                        if !matches!(polled, Ok(std::task::Poll::Pending)) {
                            break;
                        }
                        tokio::time::advance(millis(2)).await;
                    }
                    drop(call);
                    assert_eq!(resilient::bulkhead("async ways out").in_flight(), 0, "after {polls} polls");
                }
            }
        }
        assert_free("async ways out", 2).await;
    }
    quiesce_paused(&[Named::Bulkhead("async ways out")]).await;
}

/// concurrency-limits PR 78, thingsboard PR 16144: one more than the limit got in, by a wrong comparison or between a look and a step.
#[test]
fn bug_65_no_more_than_the_limit_are_ever_in_their_bodies() {
    #[derive(Default)]
    struct Gauge(AtomicU32, AtomicU32);
    impl Gauge {
        fn enter(&self) {
            self.1.fetch_max(self.0.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        }
        fn leave(&self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    for limit in 1..=4 {
        let gauge: &'static Gauge = Box::leak(Box::default());
        let name = format!("no more than {limit}");
        let policy = resilient::Policy::builder().bulkhead(&name).concurrency(limit).max_wait(Duration::MAX).build().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_time().build().unwrap();
        let tasks: Vec<_> = (0..64)
            .map(|_| {
                let policy = policy.clone();
                runtime.spawn(async move {
                    for _ in 0..20 {
                        let body = async || {
                            gauge.enter();
                            tokio::task::yield_now().await;
                            gauge.leave();
                            Ok::<_, ServiceError>(())
                        };
                        policy.run_async(body).await.unwrap();
                    }
                })
            })
            .collect();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        let body = || {
                            gauge.enter();
                            std::thread::yield_now();
                            gauge.leave();
                            Ok::<_, ServiceError>(())
                        };
                        policy.run(body).unwrap();
                    }
                });
            }
        });
        runtime.block_on(async {
            for task in tasks {
                task.await.unwrap();
            }
        });
        let Gauge(now, peak) = gauge;
        assert_eq!(now.load(Ordering::SeqCst), 0);
        assert!((1..=limit).contains(&peak.load(Ordering::SeqCst)), "{limit}: {peak:?}");
        quiesce(&TurnedClock::start(), &[Named::Bulkhead(&name)]);
    }
}

/// concurrency-limits PR 78: at the limit itself, where the comparison was wrong.
#[tokio::test(start_paused = true)]
async fn bug_65_exactly_the_limit_gets_in() {
    for limit in [1, 2, 3, 64, 1_000] {
        let name = format!("exactly {limit}");
        resilient::Policy::builder().bulkhead(&name).concurrency(limit).build().unwrap();
        assert_free(&name, limit).await;
        assert_free(&name, limit).await;
        quiesce_paused(&[Named::Bulkhead(&name)]).await;
    }
}

/// resilience4j#905, resilience4j#1530, failsafe#121: after the timeout had been told, the work went on.
#[tokio::test(start_paused = true)]
async fn bug_66_a_body_that_is_stopped_has_ended_when_its_caller_hears_of_it() {
    struct Ended<'c>(&'c Counter);
    impl Drop for Ended<'_> {
        fn drop(&mut self) {
            assert_eq!(resilient::bulkhead("stopped").in_flight(), 1, "its slot is its own until it has ended");
            self.0.count();
        }
    }
    #[resilient(bulkhead = "stopped", concurrency = 1, timeout = "1s", max_wait = "0s", breaker = "stopped")]
    async fn call(ticks: &Cell<u32>, ended: &Counter) -> Result<(), ServiceError> {
        let _ended = Ended(ended);
        loop {
            tokio::time::sleep(millis(100)).await;
            ticks.set(ticks.get() + 1);
        }
    }
    let (ticks, ended, start) = (Cell::new(0), Counter::default(), Instant::now());
    assert!(matches!(call(&ticks, &ended).await.unwrap_err().rejected(), Rejected::Timeout(_)));
    assert!(start.elapsed() <= millis(1_002));
    let ticked = ticks.get();
    assert_eq!((ended.get(), resilient::bulkhead("stopped").in_flight()), (1, 0));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!((ticks.get(), resilient::breaker("stopped").failures()), (ticked, 1));
    quiesce_paused(&[Named::Bulkhead("stopped"), Named::Breaker("stopped")]).await;
}

/// resilience4j#905, failsafe#121: a thread cannot be stopped, so the promise of a timeout was an empty one.
#[test]
fn bug_66_a_sync_body_has_no_timeout_and_keeps_its_slot_until_it_has_ended() {
    #[resilient(bulkhead = "sync body", concurrency = 1, max_wait = "0s")]
    fn other() -> Result<(), ServiceError> {
        Ok(())
    }
    #[resilient(bulkhead = "sync body", deadline = "1s", retries = 3)]
    fn call(clock: &TurnedClock, attempts: &Counter) -> Result<(), ServiceError> {
        attempts.count();
        clock.advance(Duration::from_secs(3_600));
        let told = std::thread::scope(|scope| scope.spawn(|| other().unwrap_err().rejected()).join().unwrap());
        assert!(matches!(told, Rejected::BulkheadFull(_)), "long after its deadline");
        Err(ServiceError::Reset)
    }
    let words = ["a sync function cannot be stopped half-way", "`timeout` is for async functions", "`deadline` bounds"];
    assert_refused("mistakes/timeout_on_sync", "timeout = \"1s\"", &words);
    assert_says("docs/guide/settings.md", &["A thread cannot be stopped from outside"]);
    let (clock, attempts) = (TurnedClock::start(), Counter::default());
    assert_eq!(call(&clock, &attempts), Err(ServiceError::Reset));
    assert_eq!((attempts.get(), other()), (1, Ok(())));
    quiesce(&clock, &[Named::Bulkhead("sync body")]);
}

/// failsafe#121: what was told to stop could still be heard of later.
#[tokio::test(start_paused = true)]
async fn bug_66_a_deadline_stops_an_async_body_wherever_it_is() {
    #[resilient(deadline = "1s", retries = 5, base_delay = "300ms", jitter = none, timeout = "200ms")]
    async fn call(attempts: &Counter) -> Result<(), ServiceError> {
        attempts.count();
        pending().await
    }
    let (attempts, start) = (Counter::default(), Instant::now());
    let mut call = pin!(call(&attempts));
    let rejected = call.as_mut().await.unwrap_err().rejected();
    assert!(matches!(rejected, Rejected::Timeout(_) | Rejected::DeadlineExceeded(_)));
    assert!(start.elapsed() <= millis(1_002), "{:?}", start.elapsed());
    let made = attempts.get();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(attempts.get(), made);
}
