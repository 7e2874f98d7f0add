//! Calls that come when they come, however the earlier ones fare: an open loop, as the public is.

use crate::act::Act;
use crate::client::Service;
use crate::contender::Contender;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    /// When it was due, since the beginning of the act.
    pub(crate) began: Duration,
    /// Counted from then, so that a late start is not forgotten.
    pub(crate) took: Duration,
    pub(crate) is_ok: bool,
}

/// All calls of an act, in the order in which they began.
pub(crate) async fn run(contender: Contender, service: impl Service, act: &Act, start: Instant) -> Vec<Call> {
    let mut calls = JoinSet::new();
    for began in act.calls() {
        sleep_until(start + began).await;
        let service = service.clone();
        calls.spawn(async move {
            let is_ok = contender.call(&service).await.is_ok();
            Call { began, took: start.elapsed().saturating_sub(began), is_ok }
        });
    }
    let mut calls = calls.join_all().await;
    calls.sort_by_key(|call| call.began);
    calls
}
