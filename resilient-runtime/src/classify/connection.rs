//! What servers that one stays connected to have in common.

use crate::verdict::{Classify, Verdict};
use std::io::{Error, ErrorKind};

/// The server is well, but somebody else is in the way: worth another try, and no reason to open a circuit.
pub(super) const BUSY: Verdict = Verdict::Throttled { retry_after: None };

/// What the I/O error means that a connection ended with: as any; but a socket that is not there, where a file would be, is a server that is not there.
pub(super) fn of_connection(error: &Error) -> Verdict {
    match error.kind() {
        ErrorKind::NotFound => Verdict::TRANSIENT,
        _ => error.classify(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_that_is_not_there_may_come_back() {
        assert_eq!(of_connection(&ErrorKind::NotFound.into()), Verdict::TRANSIENT);
        assert_eq!(of_connection(&ErrorKind::ConnectionRefused.into()), Verdict::TRANSIENT);
        assert_eq!(of_connection(&ErrorKind::PermissionDenied.into()), Verdict::Permanent);
    }
}
