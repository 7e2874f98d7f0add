use super::retry_after::retry_after;
use crate::rejected::Rejected;
use crate::verdict::{Classify, Verdict};
use http::{HeaderMap, Response, StatusCode};
use std::fmt;
use std::time::Duration;

/// What a status means, given the server's hint.
fn verdict(status: StatusCode, retry_after: Option<Duration>) -> Verdict {
    match status.as_u16() {
        429 => Verdict::Throttled { retry_after },
        403 if retry_after.is_some() => Verdict::Throttled { retry_after },
        408 | 425 => Verdict::Transient { retry_after },
        501 | 505 | 400..=499 => Verdict::Permanent,
        500..=599 => Verdict::Transient { retry_after },
        _ => Verdict::Success,
    }
}

pub(super) fn of_response(status: StatusCode, headers: &HeaderMap) -> Verdict {
    verdict(status, retry_after(headers))
}

impl Classify for StatusCode {
    fn classify(&self) -> Verdict {
        verdict(*self, None)
    }
}

impl<B> Classify for Response<B> {
    /// By its status and `Retry-After`; a response that was made of a [`Rejected`] and has it among its extensions is a refusal still.
    fn classify(&self) -> Verdict {
        if let Some(rejected) = self.extensions().get::<Rejected>() {
            return rejected.classify();
        }
        of_response(self.status(), self.headers())
    }
}

/// An HTTP status that means failure, with the server's `Retry-After`.
///
/// It is what `check_status` returns for a `reqwest` response (feature `reqwest`), and what you can make from any status and headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StatusError {
    status: StatusCode,
    retry_after: Option<Duration>,
}

impl StatusError {
    /// The failure in this status, or `None` if it is none (below 400).
    ///
    /// ```
    /// # use resilient_runtime as resilient;
    /// use http::{HeaderMap, StatusCode};
    /// use resilient::StatusError;
    ///
    /// let error = StatusError::from_parts(StatusCode::NOT_FOUND, &HeaderMap::new());
    /// assert_eq!(error.map(|error| error.to_string()), Some("HTTP status 404 Not Found".to_owned()));
    /// assert_eq!(StatusError::from_parts(StatusCode::OK, &HeaderMap::new()), None);
    /// ```
    #[must_use]
    pub fn from_parts(status: StatusCode, headers: &HeaderMap) -> Option<Self> {
        let failed = status.is_client_error() || status.is_server_error();
        failed.then(|| Self { status, retry_after: retry_after(headers) })
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// How long the server asks us to stay away.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for StatusError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "HTTP status {}", self.status)?;
        match self.retry_after {
            Some(wait) => write!(formatter, " (retry after {wait:?})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for StatusError {}

impl Classify for StatusError {
    fn classify(&self) -> Verdict {
        verdict(self.status, self.retry_after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::RETRY_AFTER;

    fn response(status: u16, hint: Option<&str>) -> Verdict {
        let mut builder = Response::builder().status(status);
        if let Some(hint) = hint {
            builder = builder.header(RETRY_AFTER, hint);
        }
        builder.body(()).map_or(Verdict::Ignored, |response| response.classify())
    }

    #[test]
    fn every_status_has_its_verdict() {
        let hint = Some(Duration::from_secs(3));
        assert_eq!(response(200, None), Verdict::Success);
        assert_eq!(response(304, None), Verdict::Success);
        assert_eq!(response(429, None), Verdict::Throttled { retry_after: None });
        assert_eq!(response(429, Some("3")), Verdict::Throttled { retry_after: hint });
        assert_eq!(response(403, Some("3")), Verdict::Throttled { retry_after: hint });
        assert_eq!(response(503, Some("3")), Verdict::Transient { retry_after: hint });
        for status in [408, 425, 500, 502, 503, 504, 520, 599] {
            assert_eq!(response(status, None), Verdict::TRANSIENT, "{status}");
        }
        for status in [400, 401, 403, 404, 409, 410, 422, 451, 501, 505] {
            assert_eq!(response(status, None), Verdict::Permanent, "{status}");
        }
    }

    #[test]
    fn a_status_error_keeps_the_hint() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, http::HeaderValue::from_static("5"));
        let error = StatusError::from_parts(StatusCode::TOO_MANY_REQUESTS, &headers);
        assert_eq!(error.map(|error| error.classify()), Some(Verdict::Throttled { retry_after: Some(Duration::from_secs(5)) }));
    }
}
