//! What a person at a terminal wants to know each second.

use crate::quotes::{QuoteError, Quotes};
use std::time::{Duration, Instant};

/// The calls of one second.
pub(crate) struct Second {
    start: Instant,
    requests_before: usize,
    calls: u32,
    refused: u32,
    failed: u32,
}

impl Second {
    pub(crate) fn new(quotes: &Quotes) -> Self {
        Self { start: Instant::now(), requests_before: quotes.requests(), calls: 0, refused: 0, failed: 0 }
    }

    pub(crate) fn note(&mut self, outcome: &Result<String, QuoteError>) {
        self.calls += 1;
        match outcome {
            Ok(_) => {}
            Err(QuoteError::Rejected(_)) => self.refused += 1,
            Err(_) => self.failed += 1,
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.start.elapsed() >= Duration::from_secs(1)
    }

    pub(crate) fn line(&self, quotes: &Quotes) -> String {
        let Self { calls, failed, refused, .. } = self;
        let requests = quotes.requests() - self.requests_before;
        let (rate, retries) = (setting("rate"), setting("retries"));
        let breaker = resilient::breaker("quotes").state();
        format!(
            "rate {rate}, retries {retries}, breaker {breaker:?}: {calls} calls, {requests} requests, {failed} failed, {refused} refused"
        )
    }
}

/// What holds now, by the catalogue.
pub(crate) fn setting(key: &str) -> String {
    let functions = resilient::catalog().functions;
    let settings =
        functions.into_iter().filter(|function| function.name == "quotes::latest").flat_map(|function| function.settings);
    let found = settings.into_iter().find(|setting| setting.key == key);
    found.map_or_else(|| "-".to_owned(), |setting| setting.value)
}
