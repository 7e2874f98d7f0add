//! Both acts with the same service in memory and a clock that nobody waits for: many outages in a moment, always the same.

use crate::act::Act;
use crate::client::{CallError, Service};
use crate::contender::Contender;
use crate::findings::findings;
use crate::play::play;
use crate::storm::{Played, outage, stall};
use crate::upstream::Upstream;
use resilient::StatusError;
use std::sync::Arc;

impl Service for Arc<Upstream> {
    async fn request(&self) -> Result<(), CallError> {
        let status = self.answer().await;
        StatusError::from_parts(status, &reqwest::header::HeaderMap::new()).map_or(Ok(()), |error| Err(error.into()))
    }
}

async fn play_in_memory(act: Act) -> Played {
    let figures = play(&act, async |upstream| Ok(upstream)).await.unwrap();
    Played { act, figures }
}

/// One test, since the circuits are the whole process's.
#[tokio::test(start_paused = true)]
async fn storms_end_as_they_should_whatever_the_jitter() {
    for seed in 1..=3 {
        fastrand::seed(seed);
        let (outage, stall) = (play_in_memory(outage()).await, play_in_memory(stall()).await);
        for finding in findings(&outage, &stall) {
            assert!(finding.is_true, "seed {seed}: {}", finding.text);
        }
        let back = |played: &Played, contender| played.of(contender).unwrap().back_after;
        assert_eq!(back(&stall, Contender::BackoffAndJitter), None, "seed {seed}: backoff and jitter do not end a storm");
        assert!(back(&stall, Contender::WithBudget) > back(&stall, Contender::WithBudgetAndBreaker), "seed {seed}");
        assert!(back(&stall, Contender::NoRetries).is_some(), "seed {seed}: the queue drains once nobody adds to it");
    }
}
