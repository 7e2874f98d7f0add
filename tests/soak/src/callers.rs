//! Tasks and threads that call, and that give up in every way there is.

use crate::bug::Bug;
use crate::chains;
use crate::counts::{Count, count};
use crate::functions::{ASYNC, Run, SYNC, any};
use crate::violations::is_any;
use crate::visit::{Answer, Over, Shared, Visit, caught};
use crate::watchdog::{self, Watchdog};
use fastrand::Rng;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

const TASKS: usize = 200;
const THREADS: usize = 8;

/// Everybody who calls, until told to stop.
#[derive(Debug)]
pub(crate) struct Callers {
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Callers {
    pub(crate) fn start(runtime: &Runtime, watchdog: Watchdog, rng: &mut Rng) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let task = |number| {
            let (stop, mut rng) = (Arc::clone(&stop), rng.fork());
            runtime.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    watchdog.begins(number);
                    call(&mut rng).await;
                    watchdog::ends(number);
                    tokio::time::sleep(Duration::from_micros(rng.u64(..20_000))).await;
                }
            })
        };
        let tasks = (0..TASKS).map(task).collect();
        let thread = |number: usize| {
            let (stop, mut rng) = (Arc::clone(&stop), rng.fork());
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    watchdog.begins(TASKS + number);
                    call_blocking(&mut rng);
                    watchdog::ends(TASKS + number);
                    std::thread::sleep(Duration::from_micros(rng.u64(..3_000)));
                }
            })
        };
        Self { threads: (0..THREADS).map(thread).collect(), tasks, stop }
    }

    /// Ends when all of them have, and their calls.
    pub(crate) fn stop(self, runtime: &Runtime) -> anyhow::Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            runtime.block_on(task)?;
        }
        for thread in self.threads {
            let _ = thread.join().inspect_err(|_| crate::violations::found("a caller's thread panicked".to_owned()));
        }
        Ok(())
    }
}

/// One call that ends, or is given up.
async fn call(rng: &mut Rng) {
    let visit = Arc::new(Visit::new(any(ASYNC, rng), rng));
    let soon = Duration::from_micros(rng.u64(..12_000));
    if Bug::Hang.is_seeded() {
        tokio::time::sleep(Duration::from_secs(3_600)).await;
    }
    if Bug::Leak.is_seeded() {
        std::hint::black_box(Box::leak(Box::new([0_u8; 2_000])));
    }
    count(Count::Calls);
    match rng.u8(..20) {
        0 => at_most(answer(visit), rng.u8(1..6)).await,
        1 => until_woken(answer(visit), rng.u8(1..6)).await,
        2 => {
            tokio::select! {
                () = answer(visit) => {}
                () = tokio::time::sleep(soon) => count(Count::Selected),
            }
        }
        3 => {
            let task = tokio::spawn(answer(visit));
            tokio::time::sleep(soon).await;
            task.abort();
            if task.await.is_err_and(|error| error.is_cancelled()) {
                count(Count::Aborted);
            }
        }
        4 => {
            if tokio::time::timeout(soon, answer(visit)).await.is_err() {
                count(Count::OutOfTime);
            }
        }
        5 => {
            let mut rng = rng.fork();
            // That one sleeps where it must not: it is a mistake of the caller's, and nothing may break.
            if rng.u8(..20) == 0 {
                call_blocking(&mut rng);
            } else if tokio::task::spawn_blocking(move || call_blocking(&mut rng)).await.is_err() {
                crate::violations::found("a blocking task panicked".to_owned());
            }
        }
        _ => answer(visit).await,
    }
}

async fn answer(visit: Shared) {
    let Run::Async(run) = visit.function.run else { return };
    let over = Over(Arc::clone(&visit));
    let outcome = unless_panicking(&visit, run(&over.0)).await;
    if let Some(outcome) = outcome {
        let _ = visit.judged(outcome);
    }
}

async fn unless_panicking(visit: &Visit, call: impl Future<Output = Answer>) -> Option<Answer> {
    let mut call = pin!(call);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(context))) {
        Ok(poll) => poll.map(Some),
        Err(payload) => {
            caught(visit, &*payload);
            Poll::Ready(None)
        }
    })
    .await
}

/// Dropped after so many polls, if it has not ended by then.
async fn at_most(call: impl Future<Output = ()>, polls: u8) {
    let mut call = pin!(call);
    let mut left = polls;
    poll_fn(|context| {
        if call.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        left -= 1;
        if left > 0 {
            return Poll::Pending;
        }
        count(Count::Dropped);
        Poll::Ready(())
    })
    .await;
}

/// Dropped when it is woken so often, instead of being polled: what it was woken for is lost on it, and may be lost on nobody else.
async fn until_woken(call: impl Future<Output = ()>, wakes: u8) {
    let mut call = pin!(call);
    let mut left = wakes;
    poll_fn(|context| {
        if left == 0 {
            count(Count::Woken);
            return Poll::Ready(());
        }
        left -= 1;
        call.as_mut().poll(context)
    })
    .await;
}

fn call_blocking(rng: &mut Rng) {
    let visit = Over(Visit::new(any(SYNC, rng), rng));
    let Run::Sync(run) = visit.0.function.run else { return };
    count(Count::Calls);
    match catch_unwind(AssertUnwindSafe(|| run(&visit.0))) {
        Ok(outcome) => drop(visit.0.judged(outcome)),
        Err(payload) => caught(&visit.0, &*payload),
    }
    if rng.u8(..10) == 0 {
        crate::functions::in_line(chains::check_alone);
    }
}

/// Sleeps unless there is something to tell.
pub(crate) fn rest(time: Duration) {
    let until = std::time::Instant::now() + time;
    while std::time::Instant::now() < until && !is_any() {
        std::thread::sleep(Duration::from_millis(20).min(time));
    }
}
