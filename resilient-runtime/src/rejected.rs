//! What a caller gets when a policy refuses.

use crate::clock;
use crate::verdict::{Classify, Verdict};
use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

/// A policy refused the call, or stopped it.
///
/// It becomes the function's own error through `From<Rejected>`: `anyhow`, boxed errors and `std::io::Error` need nothing, a
/// `thiserror` enum one `#[from]` variant, others `map_err`.
///
/// ```
/// # use resilient_runtime as resilient;
/// use resilient::Rejected;
///
/// fn status(rejected: &Rejected) -> u16 {
///     match rejected {
///         Rejected::RateLimited(_) => 429,
///         Rejected::Timeout(_) | Rejected::DeadlineExceeded(_) => 504,
///         _ => 503,
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rejected {
    /// The circuit breaker is open: the service failed lately, and the call was not made.
    CircuitOpen(Refusal),
    /// No token within `max_wait` or the deadline; the call was not made.
    RateLimited(Refusal),
    /// No free slot within `max_wait`; the call was not made.
    BulkheadFull(Refusal),
    /// The attempt ran longer than its `timeout` and was stopped.
    Timeout(Refusal),
    /// The whole call's `deadline` has passed, or an earlier one of a call around it.
    DeadlineExceeded(Refusal),
}

/// The circumstances of a [`Rejected`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Refusal {
    pub(crate) function: &'static str,
    pub(crate) resource: Option<&'static str>,
    pub(crate) attempts: u32,
    pub(crate) time: Time,
}

/// Nanoseconds, if any: without a hole, so that a refusal is moved word by word.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Time(u64);

impl Time {
    pub(crate) const NONE: Self = Self(u64::MAX);

    pub(crate) const fn nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    fn get(self) -> Option<Duration> {
        (self != Self::NONE).then(|| Duration::from_nanos(self.0))
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(formatter)
    }
}

impl Rejected {
    fn refusal(&self) -> &Refusal {
        match self {
            Self::CircuitOpen(refusal)
            | Self::RateLimited(refusal)
            | Self::BulkheadFull(refusal)
            | Self::Timeout(refusal)
            | Self::DeadlineExceeded(refusal) => refusal,
        }
    }

    /// The function that was refused.
    #[must_use]
    pub fn function(&self) -> &'static str {
        self.refusal().function
    }

    /// The name of the breaker, bucket or bulkhead that refused; `None` if it is the function's own.
    #[must_use]
    pub fn resource(&self) -> Option<&'static str> {
        self.refusal().resource
    }

    /// How many attempts had been made, a stopped one included.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.refusal().attempts
    }

    /// When it is worth coming back: when the circuit asks again, when a token is due. `None` where nobody can know, as for a
    /// full bulkhead, a circuit forced open, and for time limits.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::CircuitOpen(refusal) | Self::RateLimited(refusal) => refusal.time.get(),
            Self::BulkheadFull(_) | Self::Timeout(_) | Self::DeadlineExceeded(_) => None,
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::CircuitOpen(_) => Kind::CircuitOpen,
            Self::RateLimited(_) => Kind::RateLimited,
            Self::BulkheadFull(_) => Kind::BulkheadFull,
            Self::Timeout(_) => Kind::Timeout,
            Self::DeadlineExceeded(_) => Kind::DeadlineExceeded,
        }
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Refusal { function, attempts, time, .. } = *self.refusal();
        let time = time.get();
        write!(formatter, "`{function}` ")?;
        match self {
            Self::CircuitOpen(_) => write!(formatter, "was refused: {} is open", Named("circuit breaker", self.resource())),
            Self::RateLimited(_) => write!(formatter, "was refused: {} has no token in time", Named("rate limit", self.resource())),
            Self::BulkheadFull(_) => write!(formatter, "was refused: {} is full", Named("bulkhead", self.resource())),
            Self::Timeout(_) => write!(formatter, "was stopped: attempt {attempts} took longer than its timeout"),
            Self::DeadlineExceeded(_) if time.is_none() => {
                formatter.write_str("was stopped: the deadline of an enclosing call passed")
            }
            Self::DeadlineExceeded(_) => formatter.write_str("was stopped: the call took longer than its deadline"),
        }?;
        match (self, time) {
            (Self::CircuitOpen(_) | Self::RateLimited(_), Some(time)) => {
                write!(formatter, "; try again in {:.1?}", rounded_up(time))
            }
            (Self::CircuitOpen(_) | Self::RateLimited(_), None) => formatter.write_str("; it admits nothing for now"),
            (_, Some(time)) => write!(formatter, " of {time:?}"),
            (_, None) => Ok(()),
        }?;
        match attempts {
            0 => formatter.write_str(" (not attempted)"),
            1 => formatter.write_str(" (1 attempt made)"),
            _ => write!(formatter, " ({attempts} attempts made)"),
        }
    }
}

/// To a tenth of its unit, and never less: who comes back then is to be admitted.
fn rounded_up(time: Duration) -> Duration {
    let nanos = clock::nanos(time);
    let tenth = match nanos {
        0..1_000 => 1,
        1_000..1_000_000 => 100,
        1_000_000..1_000_000_000 => 100_000,
        _ => 100_000_000,
    };
    Duration::from_nanos(nanos.div_ceil(tenth).saturating_mul(tenth))
}

struct Named(&'static str, Option<&'static str>);

impl fmt::Display for Named {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            Some(name) => write!(formatter, "{} `{name}`", self.0),
            None => write!(formatter, "its {}", self.0),
        }
    }
}

impl Error for Rejected {
    /// A marker, so that `#[error(transparent)]` or a longer chain cannot hide that this was a refusal.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.kind().marker())
    }
}

impl From<Rejected> for io::Error {
    fn from(rejected: Rejected) -> Self {
        let kind = match rejected {
            Rejected::Timeout(_) | Rejected::DeadlineExceeded(_) => io::ErrorKind::TimedOut,
            Rejected::RateLimited(_) | Rejected::BulkheadFull(_) => io::ErrorKind::ResourceBusy,
            Rejected::CircuitOpen(_) => io::ErrorKind::Other,
        };
        Self::new(kind, rejected)
    }
}

impl Classify for Rejected {
    fn classify(&self) -> Verdict {
        self.kind().verdict()
    }
}

/// Which refusal stands in an error's chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    CircuitOpen,
    RateLimited,
    BulkheadFull,
    Timeout,
    DeadlineExceeded,
}

#[derive(Debug)]
struct Marker(Kind);

impl fmt::Display for Marker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.0 {
            Kind::CircuitOpen => "circuit open",
            Kind::RateLimited => "rate limited",
            Kind::BulkheadFull => "bulkhead full",
            Kind::Timeout => "attempt timed out",
            Kind::DeadlineExceeded => "deadline exceeded",
        })
    }
}

impl Error for Marker {}

impl Kind {
    fn marker(self) -> &'static Marker {
        match self {
            Self::CircuitOpen => &Marker(Self::CircuitOpen),
            Self::RateLimited => &Marker(Self::RateLimited),
            Self::BulkheadFull => &Marker(Self::BulkheadFull),
            Self::Timeout => &Marker(Self::Timeout),
            Self::DeadlineExceeded => &Marker(Self::DeadlineExceeded),
        }
    }

    #[inline]
    pub(crate) fn rejected(self, refusal: Refusal) -> Rejected {
        match self {
            Self::CircuitOpen => Rejected::CircuitOpen(refusal),
            Self::RateLimited => Rejected::RateLimited(refusal),
            Self::BulkheadFull => Rejected::BulkheadFull(refusal),
            Self::Timeout => Rejected::Timeout(refusal),
            Self::DeadlineExceeded => Rejected::DeadlineExceeded(refusal),
        }
    }

    /// A refusal further in says nothing about the service, except that it was too slow.
    pub(crate) fn verdict(self) -> Verdict {
        match self {
            Self::Timeout => Verdict::TRANSIENT,
            Self::CircuitOpen | Self::RateLimited | Self::BulkheadFull | Self::DeadlineExceeded => Verdict::Ignored,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::CircuitOpen => "circuit_open",
            Self::RateLimited => "rate_limited",
            Self::BulkheadFull => "bulkhead_full",
            Self::Timeout => "timeout",
            Self::DeadlineExceeded => "deadline_exceeded",
        }
    }
}

/// The refusal in this error or in what it was caused by.
pub(crate) fn refusal_in(error: Option<&(dyn Error + 'static)>) -> Option<Kind> {
    chain(error).find_map(|error| {
        let rejected = error.downcast_ref::<Rejected>().map(Rejected::kind);
        rejected.or_else(|| error.downcast_ref::<Marker>().map(|marker| marker.0))
    })
}

/// An error and its causes. `io::Error` hides the error it was made of behind that error's own cause, so it is opened.
pub(crate) fn chain<'e>(error: Option<&'e (dyn Error + 'static)>) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(error, |&error| cause(error))
}

fn cause<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>() {
        Some(io) => io.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_rounded_up_to_a_tenth_of_its_unit() {
        let rounded =
            [(0, 0), (999, 999), (1_001, 1_100), (999_901, 1_000_000), (1_000_001, 1_100_000), (1_000_000_001, 1_100_000_000)];
        for (nanos, up) in rounded {
            assert_eq!(rounded_up(Duration::from_nanos(nanos)), Duration::from_nanos(up));
        }
    }

    #[test]
    fn a_time_reads_as_one() {
        assert_eq!(format!("{:?} {:?}", Time::nanos(1_000), Time::NONE), "Some(1µs) None");
    }
}
