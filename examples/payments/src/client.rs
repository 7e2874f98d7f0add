//! What you would write: a client of somebody's payment gateway.

use crate::payment::{Payment, Receipt};
use reqwest::{Client, RequestBuilder, StatusCode};
use resilient::{CheckStatus as _, Classify, Rejected, StatusError, resilient};
use std::net::SocketAddr;

#[derive(Debug, thiserror::Error, Classify)]
pub(crate) enum PaymentError {
    #[error("the gateway knows this key from another payment")]
    #[permanent]
    KeyOfAnotherPayment,
    #[error(transparent)]
    #[classify(transparent)]
    Status(#[from] StatusError),
    #[error(transparent)]
    #[classify(transparent)]
    Transport(#[from] reqwest::Error),
    #[error(transparent)]
    Rejected(#[from] Rejected),
}

#[derive(Clone)]
pub(crate) struct Gateway {
    client: Client,
    url: String,
}

impl Gateway {
    pub(crate) fn new(address: SocketAddr) -> reqwest::Result<Self> {
        Ok(Self { client: Client::builder().no_proxy().build()?, url: format!("http://{address}/charges") })
    }

    /// All attempts of one call send the same key, by which the gateway knows that they are one payment.
    #[resilient(name = "charge", retries = 5, timeout = "500ms", concurrency = 20, max_wait = none, context = cx)]
    pub(crate) async fn charge(&self, payment: Payment) -> Result<Receipt, PaymentError> {
        let key = cx.idempotency_key().to_string();
        send(self.request(payment).header("Idempotency-Key", key)).await
    }

    /// The same without the key. Do not write this.
    #[resilient(name = "charge without a key", retries = 5, timeout = "500ms", concurrency = 20, max_wait = none)]
    pub(crate) async fn charge_without_key(&self, payment: Payment) -> Result<Receipt, PaymentError> {
        send(self.request(payment)).await
    }

    fn request(&self, payment: Payment) -> RequestBuilder {
        self.client.post(&self.url).json(&payment)
    }
}

async fn send(request: RequestBuilder) -> Result<Receipt, PaymentError> {
    let response = request.send().await?;
    if response.status() == StatusCode::UNPROCESSABLE_ENTITY {
        return Err(PaymentError::KeyOfAnotherPayment);
    }
    Ok(response.check_status()?.json().await?)
}
