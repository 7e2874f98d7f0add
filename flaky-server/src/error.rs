use std::time::Duration;
use std::{error, fmt, io};

/// What the server refuses, or could not do.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The server could not start: no port, no thread or no runtime.
    Start(io::Error),
    /// No request can ever have this path.
    Path(String),
    /// Not the status of a final answer.
    Status(u16),
    /// Answers with this status have no body, so none can be given or cut.
    Bodiless(u16),
    /// A header that is malformed, or that the server writes itself.
    Header(String),
    /// What [`wait_for`](crate::FlakyServer::wait_for) waited for did not happen in this time.
    Timeout(Duration),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(cause) => write!(f, "the server could not start: {cause}"),
            Self::Path(path) => write!(f, "path {path:?} must begin with '/' and hold visible ASCII only, without '?' and '#'"),
            Self::Status(status) => write!(f, "status {status} is outside 200..=999"),
            Self::Bodiless(status) => write!(f, "an answer with status {status} has no body"),
            Self::Header(name) => write!(
                f,
                "header {name:?} is malformed, or one of those the server writes itself: \
                 Connection, Content-Length, Date, Transfer-Encoding"
            ),
            Self::Timeout(waited) => write!(f, "still waiting after {waited:?}"),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Start(cause) => Some(cause),
            _ => None,
        }
    }
}
