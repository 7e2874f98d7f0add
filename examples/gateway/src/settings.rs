use std::env::{self, VarError};
use std::net::SocketAddr;

use reqwest::Url;

pub(crate) struct Settings {
    pub(crate) upstream: Option<Url>,
    pub(crate) listen: SocketAddr,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    #[error("GATEWAY_UPSTREAM is `{0}`, but must be a URL such as http://shop.internal:8080")]
    Upstream(String),
    #[error("GATEWAY_LISTEN is `{0}`, but must be an address and a port such as 127.0.0.1:3000 or [::]:80")]
    Listen(String),
    #[error("{0} is not UTF-8")]
    NotUnicode(&'static str),
    #[error(transparent)]
    Resilience(#[from] resilient::ConfigError),
}

impl Settings {
    pub(crate) fn from_env() -> Result<Self, SettingsError> {
        resilient::configure().env("GATEWAY").install()?;
        let upstream = variable("GATEWAY_UPSTREAM")?.map(upstream).transpose()?;
        let listen = variable("GATEWAY_LISTEN")?.unwrap_or_else(|| "127.0.0.1:3000".to_owned());
        let listen = listen.parse().map_err(|_| SettingsError::Listen(listen))?;
        Ok(Self { upstream, listen })
    }
}

/// A variable that is set and not empty.
fn variable(name: &'static str) -> Result<Option<String>, SettingsError> {
    match env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(SettingsError::NotUnicode(name)),
    }
}

fn upstream(text: String) -> Result<Url, SettingsError> {
    let url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or(SettingsError::Upstream(text))
}
