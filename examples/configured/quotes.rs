//! A service on loopback that is moody, and a client for it.

use flaky_server::{Answer, FlakyServer};
use reqwest::Client;
use resilient::{CheckStatus as _, Classify, Rejected, StatusError, resilient};
use std::time::Duration;

#[derive(Debug, thiserror::Error, Classify)]
pub(crate) enum QuoteError {
    #[error(transparent)]
    #[classify(transparent)]
    Status(#[from] StatusError),
    #[error(transparent)]
    #[classify(transparent)]
    Transport(#[from] reqwest::Error),
    #[error(transparent)]
    Rejected(#[from] Rejected),
}

pub(crate) struct Quotes {
    server: FlakyServer,
    client: Client,
}

const PATH: &str = "/latest";
/// Of each minute, the seconds in which every request fails.
const OUTAGE: std::ops::Range<u64> = 20..30;

impl Quotes {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let server = FlakyServer::start()?;
        server.otherwise(PATH, Answer::json(200, r#"{"price":108}"#))?;
        Ok(Self { server, client: Client::builder().build()? })
    }

    #[resilient(name = "quotes::latest", retries = 1, timeout = "1s", rate = 2, breaker = "quotes", max_wait = "2s")]
    pub(crate) async fn latest(&self) -> Result<String, QuoteError> {
        let response = self.client.get(self.server.url(PATH)).send().await?;
        Ok(response.check_status()?.text().await?)
    }

    /// One failure now and then, and an outage in each minute.
    pub(crate) fn weather(&self, time: Duration) -> Result<(), flaky_server::Error> {
        if OUTAGE.contains(&(time.as_secs() % 60)) {
            return self.down();
        }
        self.up()?;
        let hiccup = self.requests() % 4 == 3;
        self.server.script(PATH, hiccup.then(|| Answer::status(503)))
    }

    pub(crate) fn down(&self) -> Result<(), flaky_server::Error> {
        self.server.outage(PATH, Answer::status(503))
    }

    pub(crate) fn up(&self) -> Result<(), flaky_server::Error> {
        self.server.recover(PATH)
    }

    /// How many requests the service has seen.
    pub(crate) fn requests(&self) -> usize {
        self.server.record().len()
    }
}
