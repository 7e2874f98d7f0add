use reqwest::StatusCode;
use resilient::{Classify, ConfigError, Rejected, StatusError};
use std::error::Error as _;
use std::io;
use std::path::Path;

/// All that can end a download, and what it means for another attempt.
#[derive(Debug, thiserror::Error, Classify)]
pub(crate) enum FetchError {
    #[error("{0}")]
    #[ignored]
    Usage(String),
    #[error("the API does not let us in ({0}); is APIFETCH_TOKEN right?")]
    #[permanent]
    Unauthorized(StatusCode),
    #[error("there is nothing at this address ({0})")]
    #[permanent]
    NotFound(StatusCode),
    #[error("the API answers with {0}")]
    #[classify(transparent)]
    Status(StatusError),
    #[error("the connection to the API failed: {}", reason(.0))]
    #[classify(transparent)]
    Transport(reqwest::Error),
    #[error("{0}")]
    Refused(Rejected),
    #[error("page {page} cannot be understood: {reason}")]
    #[permanent]
    Malformed { page: u64, reason: String },
    #[error("{path} cannot be written: {error}")]
    #[ignored]
    Output { path: String, error: io::Error },
    #[error("interrupted; --resume continues")]
    #[ignored]
    Interrupted,
}

impl FetchError {
    pub(crate) fn output(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.display().to_string();
        move |error| Self::Output { path: path.clone(), error }
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Unauthorized(_) | Self::NotFound(_) => 3,
            Self::Status(_) | Self::Transport(_) | Self::Refused(_) => 4,
            Self::Malformed { .. } => 5,
            Self::Output { .. } => 6,
            Self::Interrupted => 130,
        }
    }

    /// The error, and whether it can go on from here.
    pub(crate) fn told(&self) -> String {
        let hint = if matches!(self.exit_code(), 4 | 6) { "; --resume continues" } else { "" };
        format!("{self}{hint}")
    }
}

/// The innermost cause, which says the most.
fn reason(error: &reqwest::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| (*error).source());
    causes.last().map_or_else(|| error.to_string(), ToString::to_string)
}

/// Without the address, whose query may hold a key.
impl From<reqwest::Error> for FetchError {
    fn from(error: reqwest::Error) -> Self {
        Self::Transport(error.without_url())
    }
}

impl From<StatusError> for FetchError {
    fn from(error: StatusError) -> Self {
        match error.status() {
            status @ StatusCode::UNAUTHORIZED => Self::Unauthorized(status),
            status @ StatusCode::FORBIDDEN if error.retry_after().is_none() => Self::Unauthorized(status),
            status @ (StatusCode::NOT_FOUND | StatusCode::GONE) => Self::NotFound(status),
            _ => Self::Status(error),
        }
    }
}

impl From<Rejected> for FetchError {
    fn from(rejected: Rejected) -> Self {
        Self::Refused(rejected)
    }
}

impl From<ConfigError> for FetchError {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.to_string())
    }
}
