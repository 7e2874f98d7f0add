use crate::rejected::refusal_in;
use crate::verdict::{Classify, Verdict};
use std::io::{Error, ErrorKind};

impl Classify for Error {
    /// Lost, refused and timed-out connections are transient, and so is what has no better name (a failed name look-up is one);
    /// answers of a file system are permanent, arguments that cannot work are ours.
    fn classify(&self) -> Verdict {
        if let Some(refusal) = self.get_ref().and_then(|inner| refusal_in(Some(inner))) {
            return refusal.verdict();
        }
        match self.kind() {
            ErrorKind::NotFound
            | ErrorKind::PermissionDenied
            | ErrorKind::AlreadyExists
            | ErrorKind::InvalidData
            | ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
            | ErrorKind::DirectoryNotEmpty
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::FileTooLarge
            | ErrorKind::CrossesDevices
            | ErrorKind::TooManyLinks => Verdict::Permanent,
            ErrorKind::InvalidInput
            | ErrorKind::Unsupported
            | ErrorKind::OutOfMemory
            | ErrorKind::AddrInUse
            | ErrorKind::AddrNotAvailable
            | ErrorKind::ArgumentListTooLong
            | ErrorKind::InvalidFilename => Verdict::Ignored,
            _ => Verdict::TRANSIENT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rejected::{Refusal, Rejected, Time};

    #[test]
    fn lost_connections_are_transient_and_answers_are_not() {
        for kind in [
            ErrorKind::ConnectionRefused,
            ErrorKind::ConnectionReset,
            ErrorKind::ConnectionAborted,
            ErrorKind::BrokenPipe,
            ErrorKind::TimedOut,
            ErrorKind::UnexpectedEof,
            ErrorKind::Other,
        ] {
            assert_eq!(Error::from(kind).classify(), Verdict::TRANSIENT, "{kind}");
        }
        assert_eq!(Error::from(ErrorKind::NotFound).classify(), Verdict::Permanent);
        assert_eq!(Error::from(ErrorKind::InvalidInput).classify(), Verdict::Ignored);
    }

    #[test]
    fn a_refusal_inside_stays_a_refusal() {
        let refusal = Refusal { function: "f", resource: None, attempts: 0, time: Time::NONE };
        assert_eq!(Error::from(Rejected::RateLimited(refusal)).classify(), Verdict::Ignored);
        assert_eq!(Error::other(Error::from(Rejected::CircuitOpen(refusal))).classify(), Verdict::Ignored);
        assert_eq!(Error::from(Rejected::Timeout(refusal)).classify(), Verdict::TRANSIENT);
    }
}
