//! The API as we see it: pages of customers, each naming the next.

use crate::error::ImportError;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Url};
use resilient::{CheckStatus as _, resilient};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

pub(crate) const BREAKER: &str = "customers";

pub(crate) struct Api {
    client: Client,
    url: Url,
    key: HeaderValue,
}

pub(crate) struct Page {
    /// As sent: what cannot be read must not be lost.
    pub(crate) records: Vec<Box<RawValue>>,
    pub(crate) next: Option<String>,
    pub(crate) total: Option<i64>,
}

impl Api {
    pub(crate) fn new(url: Url, key: HeaderValue) -> Result<Self, ImportError> {
        Ok(Self { client: Client::builder().build()?, url, key })
    }

    /// Whose customers they are, without the query.
    pub(crate) fn source(&self) -> String {
        let mut source = self.url.clone();
        source.set_query(None);
        source.set_fragment(None);
        source.into()
    }

    /// The page after a cursor, or the first.
    #[resilient(
        name = "customers page",
        retries = 6,
        base_delay = "200ms",
        timeout = "10s",
        max_retry_after = "2m",
        breaker(name = BREAKER, recovery_timeout = "2s"),
        bucket = "customers",
        rate = "20/s",
        burst = 5,
        max_wait = none
    )]
    pub(crate) async fn page(&self, after: Option<&str>) -> Result<Page, ImportError> {
        let mut url = self.url.clone();
        if let Some(after) = after {
            url.query_pairs_mut().append_pair("after", after);
        }
        let response = self.client.get(url).header(AUTHORIZATION, &self.key).send().await?.check_status()?;
        let kind = response.headers().get(CONTENT_TYPE).cloned();
        let body = response.bytes().await?;
        Page::read(&body).map_err(|reason| ImportError::Malformed {
            at: after.map_or_else(|| "first".to_owned(), |after| format!("after `{after}`")),
            reason: format!("{reason} ({} bytes of {})", body.len(), shown(kind.as_ref())),
        })
    }
}

/// `next` must be there, if only as null: a page that was cut short in between shall not look like the last.
#[derive(Deserialize)]
struct Wire {
    customers: Vec<Box<RawValue>>,
    next: Value,
    #[serde(default)]
    total: Value,
}

impl Page {
    fn read(body: &[u8]) -> Result<Self, String> {
        let wire: Wire = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let next = match wire.next {
            Value::Null => None,
            Value::String(next) if next.is_empty() => None,
            Value::String(next) => Some(next),
            Value::Number(next) => Some(next.to_string()),
            _ => return Err("`next` is neither text nor null".to_owned()),
        };
        Ok(Self { records: wire.customers, next, total: wire.total.as_i64() })
    }
}

fn shown(kind: Option<&HeaderValue>) -> &str {
    kind.and_then(|kind| kind.to_str().ok()).unwrap_or("no type")
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn a_cursor_is_text_or_a_number_and_the_last_page_has_none() {
        let next = |text: &str| Page::read(format!(r#"{{"customers":[],"next":{text}}}"#).as_bytes()).map(|page| page.next);
        assert_eq!(next(r#""c7""#), Ok(Some("c7".to_owned())));
        assert_eq!(next("7"), Ok(Some("7".to_owned())));
        assert_eq!((next("null"), next(r#""""#)), (Ok(None), Ok(None)));
        assert!(next("{}").is_err());
    }

    #[test]
    fn a_page_without_next_is_not_taken_for_the_last() {
        assert!(Page::read(br#"{"customers":[]}"#).is_err_and(|reason| reason.contains("next")));
    }
}
