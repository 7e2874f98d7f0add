use crate::error::ImportError;
use reqwest::Url;
use reqwest::header::HeaderValue;
use std::env::{self, VarError};
use std::path::PathBuf;
use std::time::Duration;

const URL: &str = "CUSTOMERS_URL";
const KEY: &str = "CUSTOMERS_KEY";
const DATABASE: &str = "CUSTOMERS_DB";
const PATIENCE: &str = "CUSTOMERS_PATIENCE";

/// What the environment says. The key is shown nowhere.
pub(crate) struct Settings {
    url: Option<String>,
    key: Option<String>,
    pub(crate) database: PathBuf,
    /// How long an API that was well before is waited for.
    pub(crate) patience: Duration,
}

impl Settings {
    pub(crate) fn from_env() -> Result<Self, ImportError> {
        Ok(Self {
            url: variable(URL)?,
            key: variable(KEY)?,
            database: variable(DATABASE)?.unwrap_or_else(|| "customers.db".to_owned()).into(),
            patience: patience(variable(PATIENCE)?)?,
        })
    }

    pub(crate) fn is_demo(&self) -> bool {
        self.url.is_none() && self.key.is_none()
    }

    pub(crate) fn url(&self) -> Result<Url, ImportError> {
        url(self.url.as_deref().ok_or_else(|| missing(URL, "the address of the first page"))?)
    }

    /// As the value of a header, which prints as `Sensitive`.
    pub(crate) fn key(&self) -> Result<HeaderValue, ImportError> {
        let key = self.key.as_deref().ok_or_else(|| missing(KEY, "the key that the API wants"))?;
        bearer(key)
    }
}

pub(crate) fn bearer(key: &str) -> Result<HeaderValue, ImportError> {
    let mut value = HeaderValue::from_str(&format!("Bearer {key}"))
        .map_err(|_| ImportError::Settings(format!("{KEY} holds characters that no header may have")))?;
    value.set_sensitive(true);
    Ok(value)
}

fn url(text: &str) -> Result<Url, ImportError> {
    let wrong = |reason: &str| ImportError::Settings(format!("{URL} is no address of an API: {reason}"));
    let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("it must begin with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(&format!("it holds a name or password; put the key into {KEY}")));
    }
    Ok(url)
}

fn patience(text: Option<String>) -> Result<Duration, ImportError> {
    let Some(text) = text else { return Ok(Duration::from_secs(120)) };
    let wrong = |_| ImportError::Settings(format!("{PATIENCE} is {text:?}, not a number of seconds"));
    text.parse().map(Duration::from_secs).map_err(wrong)
}

fn missing(name: &str, what: &str) -> ImportError {
    ImportError::Settings(format!("{name} is not set: {what}. Without {URL} and {KEY} a demonstration runs"))
}

/// Empty is as good as not set.
fn variable(name: &str) -> Result<Option<String>, ImportError> {
    match env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(ImportError::Settings(format!("{name} is not text"))),
    }
}

#[cfg(test)]
mod tests {
    use super::{bearer, url};

    #[test]
    fn a_key_shows_in_no_debug_output_or_message() {
        assert_eq!(format!("{:?}", bearer("s3cret").unwrap()), "Sensitive");
        assert!(!bearer("s3cret\n").unwrap_err().to_string().contains("s3cret"));
    }

    #[test]
    fn an_address_with_a_password_is_refused_without_showing_it() {
        let error = url("https://ali:s3cret@crm.example/customers").unwrap_err().to_string();
        assert!(error.contains("CUSTOMERS_KEY") && !error.contains("s3cret"), "{error}");
    }

    #[test]
    fn an_address_must_be_one_of_http() {
        assert!(url("crm.example/customers").is_err());
        assert!(url("ftp://crm.example/customers").is_err());
        assert!(url("https://crm.example/customers?region=eu").is_ok());
    }
}
