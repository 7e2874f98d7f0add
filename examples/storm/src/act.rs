//! What is played: when the fault begins and ends, and how long the play goes on.

use crate::fault::{Fault, Kind};
use std::time::Duration;

pub(crate) const CALLS_PER_SECOND: u32 = 200;
const WELL_AT_FIRST: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
pub(crate) struct Act {
    pub(crate) title: &'static str,
    pub(crate) fault: Fault,
    pub(crate) length: Duration,
}

impl Act {
    /// The server fails everything. Whoever asks it learns nothing, and whoever asks it often keeps it busy.
    pub(crate) fn outage(down: Duration, after: Duration) -> Self {
        Self::new("A: it fails everything", Kind::Fails, down, after)
    }

    /// The server stalls, and meanwhile a queue grows, mostly of requests whose callers have gone when their turn comes.
    pub(crate) fn stall(down: Duration, after: Duration) -> Self {
        Self::new("B: it stalls, and its queue grows", Kind::Stalls, down, after)
    }

    fn new(title: &'static str, kind: Kind, down: Duration, after: Duration) -> Self {
        let end = WELL_AT_FIRST + down;
        Self { title, fault: Fault { kind, during: WELL_AT_FIRST..end }, length: end + after }
    }

    /// When each call is due.
    pub(crate) fn calls(&self) -> impl Iterator<Item = Duration> + use<> {
        let (between, length) = (Duration::from_secs(1) / CALLS_PER_SECOND, self.length);
        (0..).map(move |number| between * number).take_while(move |due| *due < length)
    }
}
