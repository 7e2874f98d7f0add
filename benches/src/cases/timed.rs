//! Breaker, bucket, retries and a timeout, async, all well: with a body that is ready at once, or pending once.

use super::bucket::check;
use super::peers;
use super::services::{tower, tower_resilience};
use crate::contender::{Batch, Case, Contender, bare, limit, ours, partial, peer, polled};
use crate::limit::{self, RETRIES, TIMEOUT, backoff, poll_within};
use crate::payment::{Outcome, PaymentError, pay, pay_pending_once};
use backon::{ExponentialBuilder, Retryable as _};
use failsafe::futures::CircuitBreaker as _;
use governor::DefaultDirectRateLimiter;
use resilient::resilient;
use std::future::poll_fn;
use std::pin::pin;
use tokio::time::{sleep, timeout};
use tokio_retry::RetryIf;
use tokio_retry::strategy::{ExponentialBackoff, jitter};

#[inline]
pub(super) async fn body<const PENDS: bool>(order: u64) -> Outcome {
    if PENDS { pay_pending_once(order).await } else { pay(order) }
}

async fn unguarded<const PENDS: bool>(order: u64) -> Outcome {
    body::<PENDS>(order).await
}

#[resilient(retries = 3, timeout = "2s", breaker = "payments", bucket = "stripe")]
async fn annotated<const PENDS: bool>(order: u64) -> Outcome {
    body::<PENDS>(order).await
}

static BREAKER: limit::Consecutive = limit::Consecutive::new();
static BUCKET: limit::Bucket = limit::Bucket::new();

async fn by_hand<const PENDS: bool>(order: u64) -> Outcome {
    let mut retry = 0;
    loop {
        BREAKER.admit()?;
        BUCKET.take()?;
        let outcome = {
            let (mut body, mut alarm) = (pin!(body::<PENDS>(order)), pin!(None));
            poll_fn(|context| poll_within(body.as_mut(), alarm.as_mut(), context)).await
        };
        match outcome {
            Err(error) if error.is_transient() => {
                BREAKER.failed();
                if retry == RETRIES {
                    return Err(error);
                }
                sleep(backoff(retry)).await;
            }
            outcome => {
                BREAKER.succeeded();
                return outcome;
            }
        }
        retry += 1;
    }
}

type Parts = (&'static peers::Failsafe, &'static DefaultDirectRateLimiter);

async fn attempt<const PENDS: bool>((breaker, limiter): Parts, order: u64) -> Outcome {
    let admitted = async {
        check(limiter)?;
        timeout(TIMEOUT, body::<PENDS>(order)).await.unwrap_or(Err(PaymentError::Unavailable))
    };
    Ok(breaker.call_with(peers::is_transient, admitted).await?)
}

/// The breaker is told by hand, which saves counting its users.
async fn attempt_by_hand<const PENDS: bool>((breaker, limiter): Parts, order: u64) -> Outcome {
    if !breaker.is_call_permitted() {
        return Err(PaymentError::CircuitOpen { retry_after: None });
    }
    check(limiter)?;
    let outcome = timeout(TIMEOUT, body::<PENDS>(order)).await.unwrap_or(Err(PaymentError::Unavailable));
    match &outcome {
        Err(error) if error.is_transient() => breaker.on_error(),
        _ => breaker.on_success(),
    }
    outcome
}

async fn backon<const PENDS: bool>(parts: Parts, strategy: ExponentialBuilder, order: u64) -> Outcome {
    (|| attempt::<PENDS>(parts, order)).retry(strategy).when(peers::is_transient).await
}

async fn backon_by_hand<const PENDS: bool>(parts: Parts, strategy: ExponentialBuilder, order: u64) -> Outcome {
    (|| attempt_by_hand::<PENDS>(parts, order)).retry(strategy).when(peers::is_transient).await
}

async fn tokio_retry<const PENDS: bool>(parts: Parts, order: u64) -> Outcome {
    let strategy = ExponentialBackoff::from_millis(2).factor(50).map(jitter).take(RETRIES as usize);
    RetryIf::start(strategy, || attempt_by_hand::<PENDS>(parts, order), |error: &PaymentError| error.is_transient()).await
}

fn make_backon<const PENDS: bool>() -> Batch {
    let (parts, strategy) = ((peers::failsafe(), peers::governor()), peers::backon());
    polled(move |order| backon::<PENDS>(parts, strategy, order))
}

fn make_backon_by_hand<const PENDS: bool>() -> Batch {
    let (parts, strategy) = ((peers::failsafe(), peers::governor()), peers::backon());
    polled(move |order| backon_by_hand::<PENDS>(parts, strategy, order))
}

fn make_tokio_retry<const PENDS: bool>() -> Batch {
    let parts = (peers::failsafe(), peers::governor());
    polled(move |order| tokio_retry::<PENDS>(parts, order))
}

fn contenders<const PENDS: bool>() -> Vec<Contender> {
    vec![
        bare(|| polled(unguarded::<PENDS>)),
        limit(|| polled(by_hand::<PENDS>)),
        ours(|| polled(annotated::<PENDS>)),
        peer("failsafe + governor + backon + tokio timeout", make_backon::<PENDS>),
        peer("failsafe (told by hand) + governor + backon + tokio timeout", make_backon_by_hand::<PENDS>),
        peer("failsafe (told by hand) + governor + tokio-retry + tokio timeout", make_tokio_retry::<PENDS>),
        partial("tower, without a breaker", tower::<PENDS>),
        peer("tower-resilience", tower_resilience::<PENDS>),
    ]
}

pub(super) fn cases() -> [Case; 2] {
    [
        Case { name: "breaker + bucket + retry + timeout, async, ready", threads: 1, keys: 0, contenders: contenders::<false>() },
        Case {
            name: "breaker + bucket + retry + timeout, async, pending once",
            threads: 1,
            keys: 0,
            contenders: contenders::<true>(),
        },
    ]
}
