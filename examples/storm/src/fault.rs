//! What is wrong with the server, and when: a function of time alone.

use std::ops::Range;
use std::time::Duration;

/// Times count from the beginning of the act.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    pub(crate) during: Range<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Every request gets 500, at once.
    Fails,
    /// Requests are taken in, and none is worked off.
    Stalls,
}

impl Fault {
    pub(crate) fn fails_at(&self, now: Duration) -> bool {
        self.kind == Kind::Fails && self.during.contains(&now)
    }

    /// When work that would begin at this time really begins.
    pub(crate) fn beginning(&self, wish: Duration) -> Duration {
        if self.kind == Kind::Stalls && self.during.contains(&wish) { self.during.end } else { wish }
    }
}
