//! A rate that changes while tasks are in line.

use crate::{ShopError, Turn};
use resilient::testing::TurnedClock;
use resilient::{Policy, Rate, Rejected, Verdict, configure, resilient};
use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::time::Instant;

const TASKS: u32 = 2_000;

/// How often a task was polled.
async fn counted(polls: &Cell<u32>, task: impl Future<Output = ()>) {
    let mut task = pin!(task);
    poll_fn(|context| {
        polls.set(polls.get() + 1);
        task.as_mut().poll(context)
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn those_in_line_go_on_in_order_at_the_new_rate_and_each_is_woken_once_for_it() {
    #[resilient(bucket = "changed line", max_wait = none)]
    async fn call(started: &RefCell<Vec<(u32, Duration)>>, id: u32, zero: Instant) {
        started.borrow_mut().push((id, zero.elapsed()));
    }
    let _turn = Turn::take();
    let install = |rate| configure().bucket("changed line", Rate::per_second(rate).burst(1)).install().unwrap();
    for (before, after, end) in [(1_000, 500, 3_000), (1_000, 4_000, 1_250), (100, 1_000, 2_899)] {
        install(before);
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        let (started, zero) = (RefCell::default(), Instant::now());
        let polls: Vec<_> = (0..TASKS).map(|_| Cell::new(0)).collect();
        let tasks = polls.iter().zip(0..).map(|(polls, id)| counted(polls, call(&started, id, zero)));
        let change = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            install(after);
        };
        futures_util::join!(futures_util::future::join_all(tasks), change);
        let started = started.into_inner();
        assert!(started.iter().map(|(id, _)| *id).eq(0..TASKS), "{before} to {after}: first come, first served");
        assert!(polls.iter().all(|polls| polls.get() <= 3), "{before} to {after}: {:?}", polls.iter().max());
        let last = started.last().map_or(0, |(_, at)| at.as_millis());
        assert!(last.abs_diff(end) <= 5, "{before} to {after}: the last after {last} ms, not {end}");
    }
}

/// Who slept was taken off the list when a reload woke it that changed nothing for it, and slept through the next one.
#[tokio::test(start_paused = true)]
async fn who_waits_for_a_token_hears_of_the_second_reload_too() {
    let _turn = Turn::take();
    let install = |rate| configure().bucket("heard twice", rate).install().unwrap();
    let policy = Policy::builder().bucket("heard twice").max_wait(Duration::MAX).build().unwrap();
    install(Rate::per_hour(1));
    policy.run_async(async || Ok::<_, ShopError>(())).await.unwrap();
    let began = Instant::now();
    // A task of its own, which nobody polls but for a reason.
    let waiting = tokio::spawn(async move { policy.run_async(async || Ok::<_, ShopError>(())).await });
    for rate in [Rate::per_hour(1), Rate::per_second(1)] {
        tokio::time::sleep(Duration::from_millis(100)).await;
        install(rate);
    }
    waiting.await.unwrap().unwrap();
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

/// A token that was given back stayed taken, if a server's pause had ended before the rate changed.
#[test]
fn who_finds_no_place_gives_the_token_back_although_there_was_a_pause_and_then_another_rate() {
    let (_turn, clock) = (Turn::take(), TurnedClock::start());
    let install = |rate| configure().bucket("paused before", rate).install().unwrap();
    let policy = Policy::builder().bucket("paused before").bulkhead("paused before").concurrency(1).max_wait(Duration::ZERO);
    let policy = policy.build().unwrap();
    install(Rate::per_second(10).burst(1));
    let slow_down = |_: &_| Verdict::Throttled { retry_after: Some(Duration::from_secs(1)) };
    assert_eq!(policy.run_with(|| Err::<(), _>(ShopError::Reset), slow_down), Err(ShopError::Reset));
    clock.advance(Duration::from_secs(2));
    install(Rate::per_minute(1).burst(3));
    let mut running = pin!(policy.run_async(pending::<Result<(), ShopError>>));
    assert!(running.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert!(matches!(policy.run(|| Ok(())), Err(ShopError::Rejected(Rejected::BulkheadFull(_)))));
    assert_eq!(resilient::bucket("paused before").try_acquire(2), Ok(()));
}
