//! An act with several contenders at the same time, each with a server of its own.

use crate::act::Act;
use crate::client::Service;
use crate::contender::Contender;
use crate::figures::Figures;
use crate::load;
use crate::upstream::Upstream;
use anyhow::Context as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Time to open the sockets before the first call is due.
const PREPARATION: Duration = Duration::from_millis(100);

/// `connect` makes what the callers call of a service that runs.
pub(crate) async fn play<S: Service>(
    act: &Act,
    contenders: &[Contender],
    connect: impl AsyncFn(Arc<Upstream>) -> anyhow::Result<S>,
) -> anyhow::Result<Vec<Figures>> {
    let start = Instant::now() + PREPARATION;
    let mut competing = Vec::new();
    for &contender in contenders {
        let upstream = Upstream::start(start, act.fault.clone());
        let service = connect(Arc::clone(&upstream)).await?;
        competing.push(tokio::spawn(compete(contender, upstream, service, act.clone(), start)));
    }
    let mut figures = Vec::new();
    for contender in competing {
        figures.push(contender.await.context("a contender broke down")?);
    }
    Ok(figures)
}

async fn compete(contender: Contender, upstream: Arc<Upstream>, service: impl Service, act: Act, start: Instant) -> Figures {
    let calls = load::run(contender, service, &act, start).await;
    Figures::new(contender, &act, &calls, &upstream.arrivals())
}
