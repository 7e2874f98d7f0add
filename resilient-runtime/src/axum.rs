//! A refusal as a response.

use crate::rejected::{Kind, Rejected};
use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use std::fmt::{self, Write as _};
use std::time::Duration;

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

impl IntoResponse for Rejected {
    /// A refusal as a handler's or middleware's answer, with the problem details of [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457).
    ///
    /// | `Rejected` | status | `reason` |
    /// |---|---|---|
    /// | `CircuitOpen` | 503 Service Unavailable | `circuit_open` |
    /// | `RateLimited` | 429 Too Many Requests | `rate_limited` |
    /// | `BulkheadFull` | 503 Service Unavailable | `bulkhead_full` |
    /// | `Timeout` | 504 Gateway Timeout | `timeout` |
    /// | `DeadlineExceeded` | 504 Gateway Timeout | `deadline_exceeded` |
    ///
    /// Where [`retry_after`](Rejected::retry_after) is known it is said in `Retry-After`, in whole seconds, rounded up. The body names
    /// the breaker, bucket or bulkhead, and neither the function nor what became of its attempts.
    ///
    /// `RateLimited` is a 429 even where the rate is an upstream's quota, and so all clients' together, which
    /// [RFC 6585](https://www.rfc-editor.org/rfc/rfc6585#section-4) allows for: it makes a client slow down, which is what is wanted.
    /// After a 503 its circuit breaker may open, and keep it from all that is well here. If your clients must not take it as
    /// their fault, answer a 503 of your own with [`retry_after`](Rejected::retry_after).
    ///
    /// The response has the `Rejected` among its extensions, for what stands around: a resilient layer there neither retries it nor
    /// blames its own service for it.
    ///
    /// ```
    /// # use resilient_runtime as resilient;
    /// use axum_core::response::IntoResponse as _;
    /// use resilient::{Policy, Rejected};
    ///
    /// let policy = Policy::builder().name("rates").breaker("axum docs").build()?;
    /// resilient::breaker("axum docs").force_open();
    /// let rejected = policy.run(|| Ok::<(), Rejected>(())).unwrap_err();
    /// assert_eq!(rejected.into_response().status(), 503);
    /// # Ok::<(), resilient::ConfigError>(())
    /// ```
    fn into_response(self) -> Response {
        let status = status(self.kind());
        let mut response = Response::new(Body::from(Problem { rejected: &self, status }.to_string()));
        *response.status_mut() = status;
        *response.headers_mut() = headers(self.retry_after());
        response.extensions_mut().insert(self);
        response
    }
}

fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::CircuitOpen | Kind::BulkheadFull => StatusCode::SERVICE_UNAVAILABLE,
        Kind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Kind::Timeout | Kind::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
    }
}

fn headers(retry_after: Option<Duration>) -> HeaderMap {
    let wait = retry_after.map(|wait| (RETRY_AFTER, HeaderValue::from(whole_seconds(wait))));
    [(CONTENT_TYPE, PROBLEM_JSON)].into_iter().chain(wait).collect()
}

fn whole_seconds(time: Duration) -> u64 {
    time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0))
}

struct Problem<'r> {
    rejected: &'r Rejected,
    status: StatusCode,
}

impl fmt::Display for Problem<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rejected, status } = self;
        let (title, kind) = (status.canonical_reason().unwrap_or_default(), rejected.kind());
        write!(formatter, r#"{{"title":"{title}","status":{},"detail":""#, status.as_u16())?;
        match rejected.resource() {
            None => write!(formatter, "{}", detail(kind))?,
            Some(name) => write!(formatter, r#"{}","resource":"{}"#, detail(kind), Escaped(name))?,
        }
        write!(formatter, r#"","reason":"{}"}}"#, kind.word())
    }
}

fn detail(kind: Kind) -> &'static str {
    match kind {
        Kind::CircuitOpen => "A service that is needed here has failed lately and is left alone for now.",
        Kind::RateLimited => "The rate limit is used up for now.",
        Kind::BulkheadFull => "As many requests as can be served at once are being served.",
        Kind::Timeout | Kind::DeadlineExceeded => "A service that is needed here took too long.",
    }
}

/// Text inside a string of JSON.
struct Escaped<'t>(&'t str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '"' | '\\' => write!(formatter, "\\{character}"),
            '\0'..='\x1f' => write!(formatter, "\\u{:04x}", u32::from(character)),
            _ => formatter.write_char(character),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::nanos;
    use crate::rejected::{Refusal, Time};

    fn refusal(resource: Option<&'static str>, time: Option<Duration>) -> Refusal {
        let time = time.map_or(Time::NONE, |time| Time::nanos(nanos(time)));
        Refusal { function: "secret::path", resource, attempts: 3, time }
    }

    fn body(rejected: Rejected) -> String {
        Problem { rejected: &rejected, status: status(rejected.kind()) }.to_string()
    }

    #[test]
    fn every_refusal_has_its_status_and_hint() {
        let time = Some(Duration::from_millis(1_001));
        let expected = [
            (Rejected::CircuitOpen(refusal(None, time)), 503, Some("2")),
            (Rejected::CircuitOpen(refusal(None, None)), 503, None),
            (Rejected::RateLimited(refusal(None, Some(Duration::from_secs(1)))), 429, Some("1")),
            (Rejected::BulkheadFull(refusal(None, time)), 503, None),
            (Rejected::Timeout(refusal(None, time)), 504, None),
            (Rejected::DeadlineExceeded(refusal(None, time)), 504, None),
        ];
        for (rejected, status, hint) in expected {
            let response = rejected.into_response();
            let said = response.headers().get(RETRY_AFTER).and_then(|hint| hint.to_str().ok());
            assert_eq!((response.status().as_u16(), said), (status, hint), "{rejected}");
            assert_eq!(response.headers().get(CONTENT_TYPE), Some(&PROBLEM_JSON));
            assert_eq!(response.extensions().get::<Rejected>(), Some(&rejected));
        }
    }

    #[test]
    fn a_wait_is_never_told_shorter_than_it_is() {
        for (nanos, seconds) in [(0, 0), (1, 1), (999_999_999, 1), (1_000_000_000, 1), (1_000_000_001, 2)] {
            assert_eq!(whole_seconds(Duration::from_nanos(nanos)), seconds);
        }
        assert_eq!(whole_seconds(Duration::MAX), u64::MAX);
    }

    #[test]
    fn the_body_names_the_resource_and_nothing_else_of_ours() {
        assert_eq!(
            body(Rejected::RateLimited(refusal(Some("stripe"), None))),
            r#"{"title":"Too Many Requests","status":429,"detail":"The rate limit is used up for now.","resource":"stripe","reason":"rate_limited"}"#
        );
        assert!(!body(Rejected::Timeout(refusal(None, None))).contains("resource"));
    }

    #[test]
    fn any_name_is_a_string_of_json() {
        assert_eq!(Escaped("a \"b\" \\ \n\u{7f}é").to_string(), "a \\\"b\\\" \\\\ \\u000a\u{7f}é");
    }
}
