//! The service behind the gateway. Every function that calls it is annotated; each part of it that can fail by itself has its breaker.

use reqwest::{Client, StatusCode, Url};
use resilient::{CheckStatus as _, Classify, Rejected, StatusError, resilient};
use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Clone)]
pub(crate) struct Shop {
    client: Client,
    url: Url,
}

#[derive(Debug, thiserror::Error, Classify)]
pub(crate) enum ShopError {
    #[error("the shop has no such product")]
    #[permanent]
    NoSuchProduct,
    #[error(transparent)]
    #[classify(transparent)]
    Status(StatusError),
    #[error(transparent)]
    #[classify(transparent)]
    Transport(#[from] reqwest::Error),
    #[error(transparent)]
    Rejected(#[from] Rejected),
}

impl From<StatusError> for ShopError {
    fn from(error: StatusError) -> Self {
        if error.status() == StatusCode::NOT_FOUND { Self::NoSuchProduct } else { Self::Status(error) }
    }
}

#[derive(Deserialize)]
struct Price {
    cents: u64,
}

#[derive(Deserialize)]
struct Stock {
    units: u32,
}

impl Shop {
    pub(crate) fn at(url: Url) -> anyhow::Result<Self> {
        Ok(Self { client: Client::builder().build()?, url })
    }

    #[resilient(name = "price", retries = 2, timeout = "500ms", deadline = "2s", breaker = "prices")]
    pub(crate) async fn price(&self, product: u32) -> Result<u64, ShopError> {
        self.get::<Price>("prices", product).await.map(|price| price.cents)
    }

    /// How many are there, if anybody knows: a product can be shown without that.
    #[resilient(name = "stock", timeout = "200ms", breaker = "stock", fallback = |failure| {
        tracing::warn!(product, "shown without its stock: {failure}");
        Ok(None)
    })]
    pub(crate) async fn stock(&self, product: u32) -> Result<Option<u32>, ShopError> {
        self.get::<Stock>("stock", product).await.map(|stock| Some(stock.units))
    }

    async fn get<T: DeserializeOwned>(&self, kind: &str, product: u32) -> Result<T, ShopError> {
        let url = format!("{}/{kind}/{product}", self.url.as_str().trim_end_matches('/'));
        Ok(self.client.get(url).send().await?.check_status()?.json().await?)
    }
}
