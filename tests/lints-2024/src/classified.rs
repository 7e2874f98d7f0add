//! Errors that say what they mean.

use ::core::time::Duration;
use ::resilient::{Classify, Rejected};
use ::std::io;
use ::std::string::String;

/// What went wrong.
#[derive(Debug, Classify)]
pub enum Failed {
    /// Busy.
    #[throttled(retry_after = wait)]
    Busy {
        /// How long.
        wait: Duration,
    },
    /// Slow.
    #[throttled]
    Slow(String),
    /// Wrong.
    #[permanent]
    Wrong,
    /// Also wrong.
    #[permanent]
    AlsoWrong,
    /// Ours.
    #[ignored]
    Ours,
    /// The system's.
    #[classify(transparent)]
    Io(io::Error),
    /// Refused.
    Refused(Rejected),
    /// Anything else.
    Other,
}

/// One meaning.
#[derive(Debug, Classify)]
#[transient]
pub struct Lost;

/// Around another.
#[derive(Debug, Classify)]
#[classify(transparent)]
pub struct Around<E>(E);

/// None at all.
#[derive(Debug, Classify)]
pub enum Nothing {}
