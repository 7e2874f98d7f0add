//! `Retry-After` (RFC 9110 §10.2.3).

use http::HeaderMap;
use http::header::{DATE, HeaderName, RETRY_AFTER};
use std::time::{Duration, SystemTime};

/// How long the server asks us to stay away: the header `Retry-After`, in seconds or as an HTTP date.
///
/// A date is measured from the response's own `Date`, so that clocks need not agree. A date that has passed asks for nothing
/// (zero); a value that is neither form is no wish.
///
/// ```
/// # use resilient_runtime as resilient;
/// use http::{HeaderMap, HeaderValue, header::RETRY_AFTER};
/// use std::time::Duration;
///
/// let mut headers = HeaderMap::new();
/// headers.insert(RETRY_AFTER, HeaderValue::from_static("120"));
/// assert_eq!(resilient::retry_after(&headers), Some(Duration::from_secs(120)));
/// ```
#[must_use]
#[expect(clippy::disallowed_methods, reason = "a server's date is a time of day")]
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = text(headers, &RETRY_AFTER)?;
    if value.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds = value.parse().unwrap_or(u64::MAX);
        return (!value.is_empty()).then_some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let now = text(headers, &DATE).and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or_else(SystemTime::now);
    Some(until.duration_since(now).unwrap_or_default())
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn hint(value: &'static str, date: Option<&'static str>) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
        if let Some(date) = date {
            headers.insert(DATE, HeaderValue::from_static(date));
        }
        retry_after(&headers)
    }

    #[test]
    fn seconds_are_read_whatever_their_size() {
        assert_eq!(hint("0", None), Some(Duration::ZERO));
        assert_eq!(hint(" 7 ", None), Some(Duration::from_secs(7)));
        assert_eq!(hint("9999999999", None), Some(Duration::from_secs(9_999_999_999)));
        assert_eq!(hint("99999999999999999999999", None), Some(Duration::from_secs(u64::MAX)));
    }

    #[test]
    fn dates_are_measured_from_the_servers_own() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(hint("Sun, 06 Nov 1994 08:50:07 GMT", date), Some(Duration::from_secs(30)));
        assert_eq!(hint("Sunday, 06-Nov-94 08:50:07 GMT", date), Some(Duration::from_secs(30)));
        assert_eq!(hint("Sun Nov  6 08:50:07 1994", date), Some(Duration::from_secs(30)));
        assert_eq!(hint("Sun, 06 Nov 1994 08:49:07 GMT", date), Some(Duration::ZERO));
        assert_eq!(hint("Sun, 06 Nov 1994 08:50:07 GMT", None), Some(Duration::ZERO));
    }

    #[test]
    fn what_is_neither_form_is_no_wish() {
        for odd in ["", "-1", "1m0s", "1.5", "NaN", "soon", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Nov 19994 08:49:37 GMT"] {
            assert_eq!(hint(odd, None), None, "{odd}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
