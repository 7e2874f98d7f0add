//! Six ways to call the same service. All give up on an attempt after 100 ms, and all but the first try again three times.

use crate::client::{CallError, Service};
use resilient::resilient;
use std::time::Duration;
use tokio::time::{sleep, timeout};

const PATIENCE: Duration = Duration::from_millis(100);

async fn no_retries(service: &impl Service) -> Result<(), CallError> {
    timeout(PATIENCE, service.request()).await.unwrap_or(Err(CallError::TooSlow))
}

/// As it stands in many programs: three retries, and twice the wait each time.
async fn naive_loop(service: &impl Service) -> Result<(), CallError> {
    for wait in [100, 200, 400].map(Duration::from_millis) {
        if let Ok(()) = no_retries(service).await {
            return Ok(());
        }
        sleep(wait).await;
    }
    no_retries(service).await
}

/// Exponential backoff and full jitter, and nothing else.
#[resilient(retries = 3, timeout = "100ms", budget = none)]
async fn backoff_and_jitter(service: &impl Service) -> Result<(), CallError> {
    service.request().await
}

/// A budget for retries is there unless it is switched off.
#[resilient(retries = 3, timeout = "100ms")]
async fn with_budget(service: &impl Service) -> Result<(), CallError> {
    service.request().await
}

#[resilient(retries = 3, timeout = "100ms", budget = none, breaker(name = "storm, no budget", recovery_timeout = "1s"))]
async fn with_breaker(service: &impl Service) -> Result<(), CallError> {
    service.request().await
}

#[resilient(retries = 3, timeout = "100ms", breaker(name = "storm", recovery_timeout = "1s"))]
async fn with_budget_and_breaker(service: &impl Service) -> Result<(), CallError> {
    service.request().await
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contender {
    NoRetries,
    NaiveLoop,
    BackoffAndJitter,
    WithBudget,
    WithBreaker,
    WithBudgetAndBreaker,
}

impl Contender {
    pub(crate) const ALL: [Self; 6] =
        [Self::NoRetries, Self::NaiveLoop, Self::BackoffAndJitter, Self::WithBudget, Self::WithBreaker, Self::WithBudgetAndBreaker];

    pub(crate) async fn call(self, service: &impl Service) -> Result<(), CallError> {
        match self {
            Self::NoRetries => no_retries(service).await,
            Self::NaiveLoop => naive_loop(service).await,
            Self::BackoffAndJitter => backoff_and_jitter(service).await,
            Self::WithBudget => with_budget(service).await,
            Self::WithBreaker => with_breaker(service).await,
            Self::WithBudgetAndBreaker => with_budget_and_breaker(service).await,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NoRetries => "no retries",
            Self::NaiveLoop => "naive loop",
            Self::BackoffAndJitter => "resilient, neither",
            Self::WithBudget => "resilient, budget",
            Self::WithBreaker => "resilient, breaker",
            Self::WithBudgetAndBreaker => "resilient, both",
        }
    }

    pub(crate) fn explanation(self) -> &'static str {
        match self {
            Self::NoRetries => "one attempt of 100 ms",
            Self::NaiveLoop => "3 retries after 0.1, 0.2, 0.4 s",
            Self::BackoffAndJitter => "backoff and jitter, budget = none",
            Self::WithBudget => "the budget as it is",
            Self::WithBreaker => "breaker = …, budget = none",
            Self::WithBudgetAndBreaker => "breaker = …, the budget as it is",
        }
    }
}
