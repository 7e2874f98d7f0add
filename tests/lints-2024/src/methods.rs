//! Methods and traits.

use ::core::result::Result::Ok;
use ::core::time::Duration;
use ::resilient::resilient;
use ::std::borrow::ToOwned;
use ::std::io;
use ::std::string::String;
use ::std::sync::Arc;

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
