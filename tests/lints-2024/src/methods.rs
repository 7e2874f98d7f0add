//! Methods and traits.

use ::core::future::Future;
use ::core::marker::Send;
use ::core::pin::Pin;
use ::core::result::Result::Ok;
use ::core::time::Duration;
use ::resilient::{Rejected, resilient};
use ::std::borrow::ToOwned;
use ::std::boxed::Box;
use ::std::io;
use ::std::string::String;
use ::std::sync::Arc;
use ::std::vec::Vec;

/// A client.
#[derive(Debug)]
pub struct Client {
    name: String,
    calls: u32,
    timeout: Duration,
}

impl Client {
    /// Shared.
    ///
    /// # Errors
    /// None.
    #[resilient(retries = 2, timeout = self.timeout)]
    pub async fn shared(&self, path: &str) -> io::Result<&str> {
        Ok(if path.is_empty() { &self.name } else { "" })
    }

    /// Keyed.
    ///
    /// # Errors
    /// None.
    #[resilient(retries = 2, breaker(name = "lints", key = self.name), timeout = self.timeout)]
    pub async fn keyed(&self, path: &str) -> io::Result<&str> {
        Ok(if path.is_empty() { &self.name } else { "" })
    }

    /// Unique.
    ///
    /// # Errors
    /// None.
    #[resilient(retries = 2, deadline = self.timeout)]
    pub fn unique(&mut self) -> io::Result<u32> {
        self.calls += 1;
        Ok(self.calls)
    }

    /// Unique and async.
    ///
    /// # Errors
    /// None.
    #[resilient(retries = 2, timeout = "1s")]
    pub async fn unique_async(&mut self) -> io::Result<u32> {
        self.calls += 1;
        Ok(self.calls)
    }

    /// Counted.
    ///
    /// # Errors
    /// None.
    #[resilient(retries = 2, timeout = "1s")]
    pub async fn counted(self: Arc<Self>) -> io::Result<usize> {
        Ok(self.name.len())
    }

    /// By value.
    ///
    /// # Errors
    /// None.
    #[resilient(retries = 2, reuse(self))]
    pub fn by_value(mut self) -> io::Result<u32> {
        self.calls += 1;
        Ok(self.calls)
    }

    fn failed(&self, rejected: &Rejected) -> io::Error {
        io::Error::other(::std::format!("{} after {}: {rejected}", self.name, self.calls))
    }

    /// Handled.
    ///
    /// # Errors
    /// None.
    #[resilient(timeout = "1s", map_err = |rejected| self.failed(&rejected))]
    pub async fn handled(
        &mut self,
        path: &str,
        next: Pin<Box<dyn Future<Output = u32> + Send>>,
        list: &mut Vec<u32>,
        mut order: String,
    ) -> io::Result<String> {
        list.push(next.await);
        self.calls += 1;
        order.push_str(path);
        Ok(order)
    }

    /// Handled in this thread.
    ///
    /// # Errors
    /// None.
    #[resilient(breaker = "handled lints", map_err = |rejected| self.failed(&rejected))]
    pub fn handled_sync(&mut self, list: Vec<u32>) -> io::Result<Vec<u32>> {
        self.calls += 1;
        Ok(list)
    }

    /// Falls back.
    ///
    /// # Errors
    /// None.
    #[resilient(timeout = "1s", fallback = |_| Ok(0))]
    pub async fn falls_back(mut self, count: u32) -> io::Result<u32> {
        self.calls += count;
        Ok(self.calls)
    }
}

/// A store.
pub trait Store {
    /// Loads.
    ///
    /// # Errors
    /// None.
    #[resilient(retries = 2)]
    fn load(&self, key: &str) -> io::Result<String> {
        Ok(key.to_owned())
    }
}
