//! One request to the service, and what can go wrong with it.

use reqwest::Client;
use resilient::{CheckStatus as _, Classify, Rejected, StatusError};
use std::net::SocketAddr;

#[derive(Debug, thiserror::Error, Classify)]
pub(crate) enum CallError {
    #[error(transparent)]
    #[classify(transparent)]
    Status(#[from] StatusError),
    #[error(transparent)]
    #[classify(transparent)]
    Transport(#[from] reqwest::Error),
    #[error("no answer in time")]
    #[transient]
    TooSlow,
    #[error(transparent)]
    Rejected(#[from] Rejected),
}

/// What is called: a server behind a socket, or in tests the same service in memory.
pub(crate) trait Service: Clone + Send + Sync + 'static {
    fn request(&self) -> impl Future<Output = Result<(), CallError>> + Send;
}

#[derive(Clone)]
pub(crate) struct HttpClient {
    client: Client,
    url: String,
}

impl HttpClient {
    pub(crate) fn new(server: SocketAddr) -> reqwest::Result<Self> {
        Ok(Self { client: Client::builder().no_proxy().http2_prior_knowledge().build()?, url: format!("http://{server}/") })
    }
}

impl Service for HttpClient {
    async fn request(&self) -> Result<(), CallError> {
        self.client.get(&self.url).send().await?.check_status()?;
        Ok(())
    }
}
