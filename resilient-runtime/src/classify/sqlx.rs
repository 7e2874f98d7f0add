use super::connection::{BUSY, of_connection};
use super::sqlstate::of_sqlstate;
use crate::rejected::{Rejected, chain, refusal_in};
use crate::verdict::{Classify, Verdict};
use sqlx_core::error::{DatabaseError, Error, ErrorKind};
use std::io;

impl Classify for Error {
    /// Lost connections and what the database says may pass are transient; conflicts and too many connections are throttled; other
    /// answers, missing rows and columns among them, are permanent. A pool that has no connection in time, and what could not be sent,
    /// are ours. The whole table is `resilient::verdicts`.
    fn classify(&self) -> Verdict {
        match self {
            Self::Database(error) => of_database(error.as_ref()),
            Self::Io(error) => of_connection(error),
            Self::Tls(error) | Self::AnyDriverError(error) => {
                let causes = || chain(Some(error.as_ref()));
                let known = causes().find_map(|cause| cause.downcast_ref::<io::Error>().map(of_connection));
                let refusal = refusal_in(Some(error.as_ref())).map(crate::rejected::Kind::verdict);
                refusal.or(known).unwrap_or(Verdict::Permanent)
            }
            Self::RowNotFound
            | Self::TypeNotFound { .. }
            | Self::ColumnIndexOutOfBounds { .. }
            | Self::ColumnNotFound(_)
            | Self::ColumnDecode { .. }
            | Self::Decode(_) => Verdict::Permanent,
            Self::Configuration(_)
            | Self::InvalidArgument(_)
            | Self::Encode(_)
            | Self::PoolTimedOut
            | Self::PoolClosed
            | Self::InvalidSavePointStatement
            | Self::ConfigFile(_) => Verdict::Ignored,
            _ => Verdict::TRANSIENT,
        }
    }
}

fn of_database(error: &dyn DatabaseError) -> Verdict {
    if error.kind() != ErrorKind::Other {
        return Verdict::Permanent;
    }
    match error.code() {
        Some(code) if code.len() == 5 => of_sqlstate(&code, error.message()),
        Some(code) => code.parse().map_or(Verdict::TRANSIENT, of_sqlite),
        None => Verdict::TRANSIENT,
    }
}

/// The primary result codes of `SQLite`, which stand in the lowest byte of the extended ones.
fn of_sqlite(code: u32) -> Verdict {
    const SQLITE_BUSY: u32 = 5;
    const SQLITE_LOCKED: u32 = 6;
    const SQLITE_NOMEM: u32 = 7;
    const SQLITE_INTERRUPT: u32 = 9;
    const SQLITE_IOERR: u32 = 10;
    const SQLITE_PROTOCOL: u32 = 15;
    match code & 0xff {
        SQLITE_BUSY | SQLITE_LOCKED | SQLITE_PROTOCOL => BUSY,
        SQLITE_IOERR => Verdict::TRANSIENT,
        SQLITE_NOMEM | SQLITE_INTERRUPT => Verdict::Ignored,
        _ => Verdict::Permanent,
    }
}

/// For functions that return `sqlx::Result`: an [`Error::Io`], in which the refusal stays recognisable.
impl From<Rejected> for Error {
    fn from(rejected: Rejected) -> Self {
        Self::Io(rejected.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rejected::{Refusal, Time};
    use std::borrow::Cow;
    use std::error::Error as StdError;
    use std::fmt;

    /// An answer of a database that has this code.
    #[derive(Debug)]
    struct Answer(&'static str);

    impl fmt::Display for Answer {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str(self.0)
        }
    }

    impl StdError for Answer {}

    impl DatabaseError for Answer {
        fn message(&self) -> &'static str {
            "an answer"
        }

        fn code(&self) -> Option<Cow<'_, str>> {
            (!self.0.is_empty()).then_some(Cow::Borrowed(self.0))
        }

        fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn StdError + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
            self
        }

        fn kind(&self) -> ErrorKind {
            if self.0 == "23505" { ErrorKind::UniqueViolation } else { ErrorKind::Other }
        }
    }

    #[test]
    fn a_database_answers_by_its_code() {
        let verdict = |code| Error::from(Answer(code)).classify();
        assert_eq!(verdict("40001"), BUSY);
        assert_eq!(verdict("57P01"), Verdict::TRANSIENT);
        assert_eq!(verdict("23505"), Verdict::Permanent);
        assert_eq!(verdict("42P01"), Verdict::Permanent);
        assert_eq!(verdict(""), Verdict::TRANSIENT);
    }

    #[test]
    fn sqlite_answers_by_its_number() {
        let verdict = |code| Error::from(Answer(code)).classify();
        for (code, expected) in [("5", BUSY), ("517", BUSY), ("6", BUSY), ("10", Verdict::TRANSIENT), ("9", Verdict::Ignored)] {
            assert_eq!(verdict(code), expected, "{code}");
        }
        assert_eq!(verdict("1"), Verdict::Permanent);
        assert_eq!(verdict("2067"), Verdict::Permanent);
    }

    #[test]
    fn what_no_database_said_has_a_verdict_too() {
        let io = |kind: io::ErrorKind| Error::Io(kind.into()).classify();
        assert_eq!(io(io::ErrorKind::ConnectionReset), Verdict::TRANSIENT);
        assert_eq!(io(io::ErrorKind::NotFound), Verdict::TRANSIENT);
        assert_eq!(Error::Tls("no TLS here".into()).classify(), Verdict::Permanent);
        assert_eq!(Error::Tls(io::Error::from(io::ErrorKind::UnexpectedEof).into()).classify(), Verdict::TRANSIENT);
        assert_eq!(Error::Protocol("garbled".to_owned()).classify(), Verdict::TRANSIENT);
        assert_eq!(Error::WorkerCrashed.classify(), Verdict::TRANSIENT);
        assert_eq!(Error::RowNotFound.classify(), Verdict::Permanent);
        assert_eq!(Error::ColumnNotFound("id".to_owned()).classify(), Verdict::Permanent);
        for ours in
            [Error::PoolTimedOut, Error::PoolClosed, Error::Configuration("no URL".into()), Error::Encode("too long".into())]
        {
            assert_eq!(ours.classify(), Verdict::Ignored, "{ours}");
        }
    }

    #[test]
    fn a_refusal_inside_stays_a_refusal() {
        let refusal = Refusal { function: "f", resource: None, attempts: 0, time: Time::NONE };
        assert_eq!(Error::from(Rejected::CircuitOpen(refusal)).classify(), Verdict::Ignored);
        assert_eq!(Error::from(Rejected::Timeout(refusal)).classify(), Verdict::TRANSIENT);
        let boxed: Box<dyn StdError> = Box::new(Error::from(Rejected::CircuitOpen(refusal)));
        assert_eq!(boxed.classify(), Verdict::Ignored);
    }

    #[test]
    fn a_boxed_error_is_recognised() {
        let boxed: Box<dyn StdError + Send + Sync> = Error::RowNotFound.into();
        assert_eq!(boxed.classify(), Verdict::Permanent);
    }
}
