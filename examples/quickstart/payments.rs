//! What you would write: a client of somebody's service, and what its failures mean.

use reqwest::{Client, StatusCode};
use resilient::{CheckStatus as _, Classify, Rejected, StatusError, resilient};
use serde::Deserialize;
use std::time::Duration;

#[derive(Debug, thiserror::Error, Classify)]
pub(crate) enum PaymentError {
    #[error("there is no such order")]
    #[permanent]
    NoSuchOrder,
    #[error(transparent)]
    #[classify(transparent)]
    Status(#[from] StatusError),
    #[error(transparent)]
    #[classify(transparent)]
    Transport(#[from] reqwest::Error),
    #[error(transparent)]
    Rejected(#[from] Rejected),
}

#[derive(Debug, Deserialize)]
pub(crate) struct Receipt {
    pub(crate) number: u32,
}

/// For calls from async code.
pub(crate) struct Payments {
    client: Client,
    address: String,
}

impl Payments {
    pub(crate) fn new(address: String) -> reqwest::Result<Self> {
        Ok(Self { client: Client::builder().build()?, address })
    }

    #[resilient(
        name = "receipt",
        retries = 3,
        timeout = "2s",
        rate = 10,
        breaker(name = "payments", failure_threshold = 3, recovery_timeout = "2s")
    )]
    pub(crate) async fn receipt(&self, order: &str) -> Result<Receipt, PaymentError> {
        let response = self.client.get(format!("{}{order}", self.address)).send().await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Err(PaymentError::NoSuchOrder);
        }
        Ok(response.check_status()?.json().await?)
    }
}

/// The same for threads.
pub(crate) struct BlockingInvoices {
    client: reqwest::blocking::Client,
    address: String,
}

impl BlockingInvoices {
    pub(crate) fn new(address: String) -> reqwest::Result<Self> {
        let client = reqwest::blocking::Client::builder().timeout(Duration::from_secs(2)).build()?;
        Ok(Self { client, address })
    }

    #[resilient(name = "invoice", retries = 3, breaker = "invoices")]
    pub(crate) fn invoice(&self, order: &str) -> Result<Receipt, PaymentError> {
        let response = self.client.get(format!("{}{order}", self.address)).send()?;
        Ok(response.check_status()?.json()?)
    }
}
