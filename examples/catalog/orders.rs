//! Orders, kept by a service of ours.

use resilient::{Failure, resilient};
use std::io;
use std::time::Duration;

pub(crate) struct Orders {
    pub(crate) patience: Duration,
    pub(crate) last: u32,
}

impl Orders {
    #[resilient(name = "orders::find", retries = 3, timeout = self.patience, breaker = "orders", bulkhead = "db")]
    pub(crate) async fn find(&self, number: u32) -> io::Result<u32> {
        Ok(number)
    }

    #[resilient(name = "orders::submit", retries = 1, budget = "writes", breaker = "orders", bulkhead = "db", concurrency = 32)]
    pub(crate) fn submit(&self, number: u32) -> io::Result<u32> {
        if number <= self.last { Ok(number) } else { Err(io::ErrorKind::InvalidInput.into()) }
    }

    #[resilient(name = "orders::cancel", deadline = "2s", breaker = "orders")]
    pub(crate) async fn cancel(&self, number: u32) -> io::Result<u32> {
        Ok(number)
    }

    #[resilient(name = "orders::count", breaker = "orders", fallback = |failure| match failure {
        Failure::Rejected(_) => Ok(0),
        Failure::Error(error) => Err(error),
    })]
    pub(crate) fn count(&self) -> io::Result<u32> {
        Ok(self.last)
    }
}
