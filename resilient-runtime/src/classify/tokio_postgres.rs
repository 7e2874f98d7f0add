use super::connection::of_connection;
use super::sqlstate::of_sqlstate;
use crate::rejected::chain;
use crate::verdict::{Classify, Verdict};
use std::error::Error as _;
use std::io;
use tokio_postgres::Error;

impl Classify for Error {
    /// Lost and closed connections and what the database says may pass are transient; conflicts and too many connections are throttled;
    /// other answers, an unexpected number of rows among them, are permanent. What could not be sent is ours. The whole table is
    /// `resilient::verdicts`.
    fn classify(&self) -> Verdict {
        if let Some(answer) = self.as_db_error() {
            return of_sqlstate(answer.code().code(), answer.message());
        }
        if self.is_closed() {
            return Verdict::TRANSIENT;
        }
        of_words(&self.to_string(), || chain(self.source()).find_map(|cause| cause.downcast_ref::<io::Error>().map(of_connection)))
    }
}

const OURS: [&str; 5] =
    ["error serializing parameter", "error encoding message", "expected ", "invalid connection string", "invalid configuration"];
const ANSWERS: [&str; 5] = [
    "error deserializing column",
    "invalid column",
    "query returned an unexpected number",
    "authentication error",
    "error performing TLS handshake",
];

/// The crate keeps its kinds of errors to itself and tells them by their words alone.
fn of_words(words: &str, cause: impl FnOnce() -> Option<Verdict>) -> Verdict {
    let begins = |beginnings: &[&str]| beginnings.iter().any(|beginning| words.starts_with(beginning));
    if begins(&OURS) {
        return Verdict::Ignored;
    }
    let otherwise = if begins(&ANSWERS) { Verdict::Permanent } else { Verdict::TRANSIENT };
    cause().unwrap_or(otherwise)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as StdError;

    fn verdict(words: &str) -> Verdict {
        of_words(words, || None)
    }

    #[test]
    fn every_kind_has_its_verdict() {
        assert_eq!(verdict("timeout waiting for server"), Verdict::TRANSIENT);
        assert_eq!(verdict("unexpected message from server"), Verdict::TRANSIENT);
        assert_eq!(verdict("error serializing parameter 0"), Verdict::Ignored);
        assert_eq!(verdict("expected 1 parameters but got 2"), Verdict::Ignored);
        assert_eq!(verdict("query returned an unexpected number of rows"), Verdict::Permanent);
        assert_eq!(verdict("error performing TLS handshake"), Verdict::Permanent);
        assert_eq!(of_words("error performing TLS handshake", || Some(Verdict::TRANSIENT)), Verdict::TRANSIENT);
    }

    #[test]
    fn a_boxed_error_is_recognised() {
        let error = "port=none".parse::<tokio_postgres::Config>().unwrap_err();
        assert_eq!(error.classify(), Verdict::Ignored);
        let boxed: Box<dyn StdError + Send + Sync> = error.into();
        assert_eq!(boxed.classify(), Verdict::Ignored);
    }
}
