use super::http::{StatusError, of_response};
use crate::rejected::chain;
use crate::verdict::{Classify, Verdict};
use reqwest::{Error, Response};
use std::io;

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
        if self.is_redirect() || is_garbled(self) {
            return Verdict::Permanent;
        }
        Verdict::TRANSIENT
    }
}

/// Whether the body arrived but is not what it should be. What a decompressor says is an I/O error right below `reqwest`'s own layers,
/// where the transport's lies deeper; what the JSON decoder says has no cause, where the transport always names one.
fn is_garbled(error: &Error) -> bool {
    if error.is_timeout() || !(error.is_decode() || error.is_body()) {
        return false;
    }
    let causes = || chain(std::error::Error::source(error));
    let Some(cause) = causes().find(|cause| !cause.is::<Error>()) else { return false };
    match cause.downcast_ref::<io::Error>() {
        Some(decompression) => decompression.kind() != io::ErrorKind::UnexpectedEof,
        None => error.is_decode() && causes().count() == 1,
    }
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
    /// # use resilient_runtime as resilient;
    /// use resilient::CheckStatus;
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
