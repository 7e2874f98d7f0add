//! One page from the network.

use crate::arguments::Arguments;
use crate::error::FetchError;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LINK};
use reqwest::{Client, Url};
use resilient::{CheckStatus as _, Overrides, Rate, resilient};
use std::env;
use std::time::Duration;

const PAGE: &str = "page";
const BUCKET: &str = "api";

pub(crate) struct Fetcher {
    client: Client,
    retries: u32,
    timeout: Duration,
    has_token: bool,
}

pub(crate) struct Answer {
    pub(crate) body: String,
    pub(crate) kind: String,
    /// The values of its `Link` headers.
    pub(crate) links: Vec<String>,
}

/// The rate is the whole process's, so it is configured and not an argument of the function. There is none unless one is asked for.
pub(crate) fn limit(rate: Option<Rate>) -> Result<(), FetchError> {
    let configuration = match rate {
        Some(rate) => resilient::configure().bucket(BUCKET, rate),
        None => resilient::configure().function(PAGE, Overrides::new().bucket_enabled(false)),
    };
    Ok(configuration.install()?)
}

impl Fetcher {
    pub(crate) fn new(arguments: &Arguments) -> Result<Self, FetchError> {
        let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        let token = token()?;
        let has_token = token.is_some();
        headers.extend(token.map(|token| (AUTHORIZATION, token)));
        let client = Client::builder().default_headers(headers).build()?;
        Ok(Self { client, retries: arguments.retries, timeout: arguments.timeout, has_token })
    }

    /// Whether we may go there: the token is for the host that the user named.
    pub(crate) fn may_ask(&self, url: &Url, first: &Url) -> bool {
        !self.has_token || url.origin() == first.origin()
    }

    #[resilient(
        name = PAGE,
        retries = self.retries,
        base_delay = "200ms",
        timeout = self.timeout,
        max_retry_after = "5m",
        bucket = BUCKET,
        max_wait = none
    )]
    pub(crate) async fn page(&self, url: &Url) -> Result<Answer, FetchError> {
        let response = self.client.get(url.clone()).send().await?.check_status()?;
        let texts = |name| response.headers().get_all(name).iter().filter_map(|value| Some(value.to_str().ok()?.to_owned()));
        let links = texts(LINK).collect();
        let kind = texts(CONTENT_TYPE).next().unwrap_or_else(|| "no type".to_owned());
        Ok(Answer { links, kind, body: response.text().await? })
    }
}

fn token() -> Result<Option<HeaderValue>, FetchError> {
    let Some(token) = env::var_os("APIFETCH_TOKEN").filter(|token| !token.is_empty()) else { return Ok(None) };
    let value = token.to_str().and_then(|token| HeaderValue::from_str(&format!("Bearer {token}")).ok());
    let Some(mut value) = value else {
        return Err(FetchError::Usage("APIFETCH_TOKEN holds characters that no header may have".to_owned()));
    };
    value.set_sensitive(true);
    Ok(Some(value))
}
