//! A rate that changes while tasks are in line.

use crate::Turn;
use resilient::{Rate, configure, resilient};
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
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
