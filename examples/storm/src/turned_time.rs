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
use std::time::Duration;

impl Service for Arc<Upstream> {
    async fn request(&self) -> Result<(), CallError> {
        let status = self.answer().await;
        StatusError::from_parts(status, &reqwest::header::HeaderMap::new()).map_or(Ok(()), |error| Err(error.into()))
    }
}

async fn play_in_memory(act: Act, contenders: &[Contender]) -> Played {
    let figures = play(&act, contenders, async |upstream| Ok(upstream)).await.unwrap();
    Played { act, figures }
}

fn back(played: &Played, contender: Contender) -> Option<Duration> {
    played.of(contender).unwrap().back_after
}

/// One test, since the circuits are the whole process's.
#[tokio::test(start_paused = true)]
async fn both_acts_end_as_they_should_whatever_the_jitter() {
    for seed in 1..=2 {
        fastrand::seed(seed);
        storms().await;
        outages_of_any_length().await;
    }
}

async fn storms() {
    let (outage, stall) = (play_in_memory(outage(), &Contender::ALL).await, play_in_memory(stall(), &Contender::ALL).await);
    for finding in findings(&outage, &stall) {
        assert!(finding.is_true, "{}", finding.text);
    }
    assert_eq!(back(&stall, Contender::BackoffAndJitter), None, "backoff and jitter do not end a storm");
    assert!(back(&stall, Contender::NoRetries).is_some(), "the queue drains once nobody adds to it");
    assert!(back(&stall, Contender::WithBudget).is_some(), "nor do retries on a budget hold it up for ever");
}

/// However an outage lies to the probes, it is over for the callers when the circuit's time is.
async fn outages_of_any_length() {
    for (outage, open_period) in [(0.5, 1), (2.0, 2), (5.0, 4), (10.0, 8)] {
        let act = Act::outage(Duration::from_secs_f64(outage), Duration::from_secs(open_period + 2));
        let played = play_in_memory(act, &[Contender::WithBudgetAndBreaker]).await;
        let ours = played.of(Contender::WithBudgetAndBreaker).unwrap();
        assert!(
            ours.back_after.is_some_and(|after| after <= Duration::from_secs(open_period)),
            "{outage} s: {:?}",
            ours.back_after
        );
        // Five failures open the circuit, while some calls are under way; then there is one probe for each period.
        assert!(ours.requests_while_down <= 12, "{outage} s: {} requests", ours.requests_while_down);
    }
}
