use super::http::{StatusError, of_response};
use crate::verdict::{Classify, Verdict};
use reqwest::{Error, Response};

impl Classify for Error {
    /// Timeouts, connection and DNS failures and truncated bodies are transient; a status (from `error_for_status`, which has lost
    /// the headers) counts as that status; a body that arrived whole but is not what it should be, and a redirect loop, are
    /// permanent; a request that could not be built is ours.
    fn classify(&self) -> Verdict {
        if let Some(status) = self.status() {
            return status.classify();
        }
        if self.is_builder() {
            return Verdict::Ignored;
        }
        let undecodable = self.is_decode() && !broken_off(self);
        if self.is_redirect() || undecodable {
            return Verdict::Permanent;
        }
        Verdict::TRANSIENT
    }
}

/// A body that ended too early surfaces as a decoding error whose cause is the transport's.
fn broken_off(error: &Error) -> bool {
    let cause = std::error::Error::source(error);
    crate::rejected::chain(cause).any(|cause| cause.is::<std::io::Error>() || cause.is::<Error>())
}

impl Classify for Response {
    fn classify(&self) -> Verdict {
        of_response(self.status(), self.headers())
    }
}

#[cfg(feature = "reqwest-blocking")]
impl Classify for reqwest::blocking::Response {
    fn classify(&self) -> Verdict {
        of_response(self.status(), self.headers())
    }
}

/// `error_for_status`, with the server's hint kept.
pub trait CheckStatus: Sized {
    /// The response itself, or its status as an error that remembers `Retry-After`.
    ///
    /// # Errors
    ///
    /// [`StatusError`] for a status of 400 and above.
    ///
    /// ```no_run
    /// use resilient_runtime::CheckStatus;
    ///
    /// # async fn rates() -> Result<String, Box<dyn std::error::Error>> {
    /// let text = reqwest::get("http://localhost:8080/rates").await?.check_status()?.text().await?;
    /// # Ok(text)
    /// # }
    /// ```
    fn check_status(self) -> Result<Self, StatusError>;
}

impl CheckStatus for Response {
    fn check_status(self) -> Result<Self, StatusError> {
        StatusError::from_parts(self.status(), self.headers()).map_or(Ok(self), Err)
    }
}

#[cfg(feature = "reqwest-blocking")]
impl CheckStatus for reqwest::blocking::Response {
    fn check_status(self) -> Result<Self, StatusError> {
        StatusError::from_parts(self.status(), self.headers()).map_or(Ok(self), Err)
    }
}
