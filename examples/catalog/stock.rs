//! What is on the shelves, asked of a partner who counts our calls.

use resilient::resilient;
use std::io;

#[resilient(retries = 2, rate = "30/min", burst = 5, max_wait = "0s")]
pub(crate) fn level(article: u32) -> io::Result<u32> {
    Ok(article)
}

#[resilient(retries = 2, jitter = equal, rate = "5000/h", budget = 0.5)]
pub(crate) async fn reserve(article: u32) -> io::Result<u32> {
    Ok(article)
}

#[resilient(retries = 20, base_delay = "2s", backoff = constant, retry_if = |error: &io::Error| error.kind() == io::ErrorKind::WouldBlock)]
pub(crate) async fn delivered(article: u32) -> io::Result<u32> {
    Ok(article)
}
