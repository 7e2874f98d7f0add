//! Tasks in line for one bucket at 1,000 a second, in real time.

use crate::{bytes, said};
use resilient::resilient;
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};
use tokio::task::{JoinHandle, LocalSet};

#[resilient(bucket = "line", rate = 1_000, burst = 1, max_wait = none)]
async fn call(line: Rc<Line>, number: u32) {
    line.started.borrow_mut().push((number, line.zero.elapsed()));
}

/// What a task without us would need.
async fn sleep(line: Rc<Line>, number: u32) {
    tokio::time::sleep(Duration::from_secs(3_600 + u64::from(number))).await;
    line.arrived.set(0);
}

struct Line {
    zero: Instant,
    started: RefCell<Vec<(u32, Duration)>>,
    arrived: Cell<u32>,
    polls: Cell<u32>,
    most_polls: Cell<u32>,
    wakes: Arc<AtomicU32>,
}

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

impl Line {
    fn new(tasks: u32) -> Rc<Self> {
        let (polls, most_polls, arrived) = (Cell::new(0), Cell::new(0), Cell::new(0));
        let started = RefCell::new(Vec::with_capacity(tasks as usize));
        Rc::new(Self { zero: Instant::now(), started, arrived, polls, most_polls, wakes: Arc::default() })
    }

    async fn counted(self: Rc<Self>, task: impl Future<Output = ()>) {
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
}

type Tasks = Vec<JoinHandle<()>>;

/// All of them in line, and the bytes that each has allocated there.
fn queue<F: Future<Output = ()> + 'static>(
    runtime: &tokio::runtime::Runtime,
    set: &LocalSet,
    line: &Rc<Line>,
    tasks: u32,
    task: fn(Rc<Line>, u32) -> F,
) -> (Tasks, i64) {
    let mut handles = Vec::with_capacity(tasks as usize);
    let (bytes, _) = bytes(|| {
        set.block_on(runtime, async {
            handles
                .extend((0..tasks).map(|number| tokio::task::spawn_local(Rc::clone(line).counted(task(Rc::clone(line), number)))));
            while line.arrived.get() < tasks {
                tokio::task::yield_now().await;
            }
        });
    });
    (handles, bytes / i64::from(tasks))
}

pub(crate) fn table(tasks: u32) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_time().build() else { return };
    let (_sleeping, of_sleep) = queue(&runtime, &LocalSet::new(), &Line::new(tasks), tasks, sleep);
    let (set, line) = (LocalSet::new(), Line::new(tasks));
    let (handles, of_call) = queue(&runtime, &set, &line, tasks, call);
    set.block_on(&runtime, async {
        for handle in handles {
            let _ = handle.await;
        }
    });
    let took = line.zero.elapsed();
    let started = line.started.borrow();
    let overtaken = started.windows(2).filter(|pair| pair[0].0 > pair[1].0).count();
    let first = started.first().map_or(Duration::ZERO, |(_, at)| *at);
    let mut late: Vec<_> =
        started.iter().map(|(number, at)| at.saturating_sub(first + Duration::from_millis(u64::from(*number)))).collect();
    late.sort_unstable();
    let late = |share: usize| said(late.get(late.len() * share / 100).copied().unwrap_or_default().as_secs_f64() * 1e9);
    println!(
        "| tasks in line | all started after | polls a task, most | wake-ups a task | overtaken | late: median, 99 of 100 | bytes a task | of which a bare `sleep` has |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    println!(
        "| {tasks} | {:.3} s | {:.3}, {} | {:.3} | {overtaken} | {}, {} | {of_call} | {of_sleep} |",
        took.as_secs_f64(),
        f64::from(line.polls.get()) / f64::from(tasks),
        line.most_polls.get(),
        f64::from(line.wakes.load(Ordering::Relaxed)) / f64::from(tasks),
        late(50),
        late(99)
    );
}
