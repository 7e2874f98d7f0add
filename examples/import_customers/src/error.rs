use reqwest::StatusCode;
use resilient::{Classify, ConfigError, Rejected, StatusError};
use std::error::Error as _;

/// All that can end an import, and what it means for another attempt.
#[derive(Debug, thiserror::Error, Classify)]
pub(crate) enum ImportError {
    #[error("{0}")]
    #[ignored]
    Settings(String),
    #[error("the API does not let us in ({0}); is CUSTOMERS_KEY right?")]
    #[permanent]
    Unauthorized(StatusCode),
    #[error("the API has no customers here ({0}); is CUSTOMERS_URL right?")]
    #[permanent]
    NotFound(StatusCode),
    #[error("the API answers with {0}")]
    #[classify(transparent)]
    Status(StatusError),
    #[error("the connection to the API failed: {}", reason(.0))]
    #[classify(transparent)]
    Transport(reqwest::Error),
    #[error(transparent)]
    Refused(#[from] Rejected),
    #[error("what the API sends {at} is no page of customers: {reason}")]
    #[permanent]
    Malformed { at: String, reason: String },
    #[error("the database cannot be used: {0}")]
    #[ignored]
    Store(#[from] rusqlite::Error),
    #[error("{0}")]
    #[ignored]
    Database(String),
    #[error("interrupted; run it again to go on")]
    #[ignored]
    Interrupted,
}

impl ImportError {
    /// 2: what the user has set. 3: refused by the API. 4: not reached, or not well. 5: pages that are none. 6: the database.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Settings(_) => 2,
            Self::Unauthorized(_) | Self::NotFound(_) => 3,
            Self::Status(_) | Self::Transport(_) | Self::Refused(_) => 4,
            Self::Malformed { .. } => 5,
            Self::Store(_) | Self::Database(_) => 6,
            Self::Interrupted => 130,
        }
    }

    /// Whether the API might answer differently at another position.
    pub(crate) fn is_about_the_position(&self) -> bool {
        match self {
            Self::NotFound(_) => true,
            Self::Status(error) => {
                matches!(error.status(), StatusCode::BAD_REQUEST | StatusCode::GONE | StatusCode::UNPROCESSABLE_ENTITY)
            }
            _ => false,
        }
    }
}

/// The innermost cause, which says the most.
fn reason(error: &reqwest::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| (*error).source());
    causes.last().map_or_else(|| error.to_string(), ToString::to_string)
}

/// Without the address, whose query may hold what is nobody's business.
impl From<reqwest::Error> for ImportError {
    fn from(error: reqwest::Error) -> Self {
        Self::Transport(error.without_url())
    }
}

impl From<StatusError> for ImportError {
    fn from(error: StatusError) -> Self {
        match error.status() {
            status @ StatusCode::UNAUTHORIZED => Self::Unauthorized(status),
            status @ StatusCode::FORBIDDEN if error.retry_after().is_none() => Self::Unauthorized(status),
            status @ StatusCode::NOT_FOUND => Self::NotFound(status),
            _ => Self::Status(error),
        }
    }
}

impl From<ConfigError> for ImportError {
    fn from(error: ConfigError) -> Self {
        Self::Settings(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::ImportError;
    use reqwest::StatusCode;
    use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
    use resilient::{Classify as _, StatusError, Verdict};

    fn of(status: u16, hint: bool) -> ImportError {
        let mut headers = HeaderMap::new();
        if hint {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        StatusError::from_parts(StatusCode::from_u16(status).unwrap(), &headers).unwrap().into()
    }

    #[test]
    fn a_forbidden_with_a_hint_is_a_limit_and_without_one_a_bad_key() {
        assert!(matches!(of(403, false), ImportError::Unauthorized(_)));
        assert!(matches!(of(403, true).classify(), Verdict::Throttled { .. }));
    }

    #[test]
    fn what_is_on_our_side_says_nothing_about_the_service() {
        assert_eq!(ImportError::Store(rusqlite::Error::InvalidQuery).classify(), Verdict::Ignored);
        assert_eq!(of(503, false).classify(), Verdict::TRANSIENT);
        assert_eq!(of(401, false).classify(), Verdict::Permanent);
    }
}
