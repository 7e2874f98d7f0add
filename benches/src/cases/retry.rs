//! Retries alone, not needed.

use super::breaker::unguarded;
use super::peers;
use crate::contender::{Batch, Case, bare, blocking, limit, ours, peer, polled};
use crate::limit::{RETRIES, backoff};
use crate::payment::{Outcome, PaymentError, pay};
use backon::{BlockingRetryable as _, ExponentialBuilder, Retryable as _};
use resilient::resilient;
use std::thread::sleep;
use tokio_retry::RetryIf;
use tokio_retry::strategy::{ExponentialBackoff, jitter};

#[inline(never)]
#[resilient(retries = 3)]
fn annotated(order: u64) -> Outcome {
    pay(order)
}

#[resilient(retries = 3)]
async fn annotated_async(order: u64) -> Outcome {
    pay(order)
}

#[inline(never)]
fn by_hand(order: u64) -> Outcome {
    let mut retry = 0;
    loop {
        match pay(order) {
            Err(error) if error.is_transient() && retry < RETRIES => sleep(backoff(retry)),
            outcome => return outcome,
        }
        retry += 1;
    }
}

async fn by_hand_async(order: u64) -> Outcome {
    let mut retry = 0;
    loop {
        match pay(order) {
            Err(error) if error.is_transient() && retry < RETRIES => tokio::time::sleep(backoff(retry)).await,
            outcome => return outcome,
        }
        retry += 1;
    }
}

pub(super) async fn unguarded_async(order: u64) -> Outcome {
    pay(order)
}

#[inline(never)]
fn backon(strategy: ExponentialBuilder, order: u64) -> Outcome {
    (|| pay(order)).retry(strategy).when(peers::is_transient).call()
}

async fn backon_async(strategy: ExponentialBuilder, order: u64) -> Outcome {
    (|| async { pay(order) }).retry(strategy).when(peers::is_transient).await
}

async fn tokio_retry(order: u64) -> Outcome {
    let strategy = ExponentialBackoff::from_millis(2).factor(50).map(jitter).take(RETRIES as usize);
    RetryIf::start(strategy, || async { pay(order) }, |error: &PaymentError| error.is_transient()).await
}

fn make_backon() -> Batch {
    let strategy = peers::backon();
    blocking(move |order| backon(strategy, order))
}

fn make_backon_async() -> Batch {
    let strategy = peers::backon();
    polled(move |order| backon_async(strategy, order))
}

pub(super) fn cases() -> [Case; 2] {
    let blocking =
        vec![bare(|| blocking(unguarded)), limit(|| blocking(by_hand)), ours(|| blocking(annotated)), peer("backon", make_backon)];
    let polled = vec![
        bare(|| polled(unguarded_async)),
        limit(|| polled(by_hand_async)),
        ours(|| polled(annotated_async)),
        peer("backon", make_backon_async),
        peer("tokio-retry", || polled(tokio_retry)),
    ];
    [
        Case { name: "retry, sync", threads: 1, keys: 0, contenders: blocking },
        Case { name: "retry, async", threads: 1, keys: 0, contenders: polled },
    ]
}
