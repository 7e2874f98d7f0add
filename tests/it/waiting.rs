//! Ten thousand tasks in line for one bucket.

use crate::support::millis;
use resilient::resilient;
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;
use tokio::task::{JoinHandle, LocalSet};
use tokio::time::Instant;

const TASKS: u32 = 10_000;

/// What became of a line of tasks.
#[derive(Default)]
struct Line {
    /// Who started, and when, in the order in which they did.
    started: RefCell<Vec<(u32, Duration)>>,
    /// Tasks that have taken their place in line, and those that are through or have left it.
    arrived: Cell<u32>,
    gone: Cell<u32>,
    polls: Cell<u32>,
    most_polls: Cell<u32>,
    wakes: Arc<AtomicU32>,
}

/// Counts the wake-ups of one task.
struct Counting {
    task: Waker,
    wakes: Arc<AtomicU32>,
}

impl Wake for Counting {
    fn wake(self: Arc<Self>) {
        self.wakes.fetch_add(1, Ordering::Relaxed);
        self.task.wake_by_ref();
    }
}

/// Says that a task is gone, however it went.
struct Leaving(Rc<Line>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.gone.set(self.0.gone.get() + 1);
    }
}

impl Line {
    /// Counts how often a task is polled and woken.
    async fn counted(self: Rc<Self>, task: impl Future<Output = ()>) {
        let _leaving = Leaving(Rc::clone(&self));
        let mut task = pin!(task);
        self.arrived.set(self.arrived.get() + 1);
        let (mut polls, mut waker) = (0, None);
        poll_fn(|context| {
            polls += 1;
            let counting = || Waker::from(Arc::new(Counting { task: context.waker().clone(), wakes: Arc::clone(&self.wakes) }));
            task.as_mut().poll(&mut Context::from_waker(waker.get_or_insert_with(counting)))
        })
        .await;
        self.polls.set(self.polls.get() + polls);
        self.most_polls.set(self.most_polls.get().max(polls));
    }

    fn spawn(self: &Rc<Self>, call: impl Future<Output = ()> + 'static) -> JoinHandle<()> {
        tokio::task::spawn_local(Rc::clone(self).counted(call))
    }

    fn ids(&self) -> Vec<u32> {
        self.started.borrow().iter().map(|(id, _)| *id).collect()
    }

    /// Each at its slot, or as much later as the timer rounds.
    fn assert_slots(&self, slots: impl Iterator<Item = Duration>) {
        for ((id, at), slot) in self.started.borrow().iter().zip(slots) {
            assert!((slot..slot + millis(2)).contains(at), "{id}: {at:?} for {slot:?}");
        }
    }
}

async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_tasks_start_in_order_on_time_and_each_is_woken_once() {
    #[resilient(bucket = "ten thousand in line", rate = 1_000, burst = 1, max_wait = none)]
    async fn call(line: Rc<Line>, id: u32, zero: Instant) {
        line.started.borrow_mut().push((id, zero.elapsed()));
    }
    let (line, zero) = (Rc::new(Line::default()), Instant::now());
    let waiting = async {
        let tasks: Vec<_> = (0..TASKS).map(|id| line.spawn(call(Rc::clone(&line), id, zero))).collect();
        futures_util::future::join_all(tasks).await;
    };
    LocalSet::new().run_until(waiting).await;
    assert!(line.ids().into_iter().eq(0..TASKS), "first come, first served");
    line.assert_slots((0..u64::from(TASKS)).map(millis));
    assert_eq!(line.most_polls.get(), 2, "once to take its slot, once when it is due");
    assert_eq!((line.polls.get(), line.wakes.load(Ordering::Relaxed)), (2 * TASKS - 1, TASKS - 1), "the first need not wait");
}

#[tokio::test(start_paused = true)]
async fn the_slots_of_tasks_that_are_cancelled_go_to_those_who_come_next_and_nobody_else_is_woken() {
    #[resilient(bucket = "thousands cancelled", rate = 1_000, burst = 1, max_wait = none)]
    async fn call(line: Rc<Line>, id: u32, zero: Instant) {
        line.started.borrow_mut().push((id, zero.elapsed()));
    }
    let (line, zero) = (Rc::new(Line::default()), Instant::now());
    let waiting = async {
        let tasks: Vec<_> = (0..TASKS).map(|id| line.spawn(call(Rc::clone(&line), id, zero))).collect();
        until(|| line.arrived.get() == TASKS).await;
        for cancelled in &tasks[3_000..6_000] {
            cancelled.abort();
        }
        until(|| line.gone.get() == 3_001).await;
        let wakes = line.wakes.load(Ordering::Relaxed);
        let late = (TASKS..TASKS + 3_001).map(|id| line.spawn(call(Rc::clone(&line), id, zero)));
        futures_util::future::join_all(tasks.into_iter().chain(late)).await;
        wakes
    };
    let woken_by_cancelling = LocalSet::new().run_until(waiting).await;
    assert_eq!(woken_by_cancelling, 0);
    let expected = (0..3_000).chain(TASKS..TASKS + 3_000).chain(6_000..TASKS).chain([TASKS + 3_000]);
    assert!(line.ids().into_iter().eq(expected), "whoever comes next has the earliest slot that is free");
    line.assert_slots((0..=u64::from(TASKS)).map(millis));
    assert_eq!(line.most_polls.get(), 2);
}
