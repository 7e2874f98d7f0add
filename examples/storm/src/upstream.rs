//! The service that everybody calls: a queue, worked off at a fixed rate, also for callers who have gone.

use crate::fault::Fault;
use reqwest::StatusCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

pub(crate) const REQUESTS_PER_SECOND: u32 = 300;
const TIME_OF_A_REQUEST: Duration = Duration::from_nanos(1_000_000_000 / REQUESTS_PER_SECOND as u64);

pub(crate) struct Upstream {
    start: Instant,
    fault: Fault,
    queue: mpsc::UnboundedSender<Job>,
    arrivals: Mutex<Vec<Duration>>,
}

struct Job {
    arrived: Duration,
    caller: oneshot::Sender<()>,
}

impl Upstream {
    pub(crate) fn start(start: Instant, fault: Fault) -> Arc<Self> {
        let (queue, jobs) = mpsc::unbounded_channel();
        tokio::spawn(work(jobs, start, fault.clone()));
        Arc::new(Self { start, fault, queue, arrivals: Mutex::default() })
    }

    /// Dropping this before it is done does not take the request out of the queue.
    pub(crate) async fn answer(&self) -> StatusCode {
        let arrived = self.start.elapsed();
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner).push(arrived);
        if self.fault.fails_at(arrived) {
            return StatusCode::INTERNAL_SERVER_ERROR;
        }
        let (caller, done) = oneshot::channel();
        let is_queued = self.queue.send(Job { arrived, caller }).is_ok();
        if is_queued && done.await.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
    }

    /// When requests came, since the beginning of the act.
    pub(crate) fn arrivals(&self) -> Vec<Duration> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Adds up the times of the requests, so that a late timer does not make the server slower than it is.
async fn work(mut jobs: mpsc::UnboundedReceiver<Job>, start: Instant, fault: Fault) {
    let mut free = Duration::ZERO;
    while let Some(Job { arrived, caller }) = jobs.recv().await {
        free = fault.beginning(free.max(arrived)) + TIME_OF_A_REQUEST;
        sleep_until(start + free).await;
        // A caller who has given up hears nothing, and the work was done all the same.
        let _ = caller.send(());
    }
}
