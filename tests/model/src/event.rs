//! What the world is told of, in order.

use crate::Told;
use crate::call::Kind;
use std::collections::BTreeMap;

/// Something that is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Another attempt after a wait between these.
    Retry {
        /// Attempts so far.
        attempt: u32,
        /// In nanoseconds.
        delay: (u64, u64),
        /// What the last one was.
        verdict: &'static str,
    },
    /// No other attempt, though one was wished for.
    Exhausted {
        /// Attempts so far.
        attempts: u32,
        /// Why.
        reason: &'static str,
        /// What the last one was.
        verdict: &'static str,
    },
    /// Refusals since it was last told of one.
    Rejected {
        /// What refused the last.
        kind: Kind,
        /// The resource's name.
        has_name: bool,
        /// When to come back.
        told: Told,
        /// Attempts before it.
        attempts: u32,
        /// How many, if that is known; otherwise nothing may be told of them.
        count: Option<u64>,
    },
    /// Calls that a breaker in shadow would have refused, since it was last told of one.
    WouldReject(u64),
    /// A sync function waits in a thread that has a runtime.
    BlockingWait,
    /// A circuit has opened.
    Opened {
        /// Why.
        reason: &'static str,
        /// Calls, failures and slow calls.
        counts: (u64, u64, u64),
        /// For how long, in nanoseconds.
        open_for: (u64, u64),
        /// Whether it refuses nothing.
        shadow: bool,
    },
    /// A circuit is half open; whether it refuses nothing.
    HalfOpen(bool),
    /// A circuit has closed; whether it refuses nothing.
    Closed(bool),
    /// It was forced open.
    ForcedOpen,
    /// It was disabled.
    Disabled,
    /// It was put into shadow.
    Shadowed,
    /// It was reset. One that has counted what it has forgotten since may say so or not.
    Reset {
        /// Whether it must.
        is_sure: bool,
    },
}

/// What the library told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) name: &'static str,
    pub(crate) fields: BTreeMap<&'static str, String>,
}

/// What a field must be.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Field {
    Is(String),
    /// Whole milliseconds, rounded up, of nanoseconds between these.
    Millis(u64, u64),
    Anything,
}

/// The names of what events are about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named<'n> {
    pub(crate) function: &'n str,
    /// If the function has one.
    pub(crate) breaker: Option<&'n str>,
    pub(crate) bucket: &'n str,
    pub(crate) bulkhead: &'n str,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::CircuitOpen => "circuit_open",
            Self::RateLimited => "rate_limited",
            Self::BulkheadFull => "bulkhead_full",
            Self::Timeout => "timeout",
            Self::DeadlineExceeded => "deadline_exceeded",
        }
    }
}

impl<'n> Named<'n> {
    /// What a refusal names.
    pub(crate) fn resource(&self, kind: Kind) -> Option<&'n str> {
        match kind {
            Kind::CircuitOpen => self.breaker,
            Kind::RateLimited => Some(self.bucket),
            Kind::BulkheadFull => Some(self.bulkhead),
            Kind::Timeout | Kind::DeadlineExceeded => None,
        }
    }
}

impl Event {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Retry { .. } => "retry",
            Self::Exhausted { .. } => "exhausted",
            Self::Rejected { .. } => "rejected",
            Self::WouldReject(_) => "would_reject",
            Self::BlockingWait => "blocking_wait",
            Self::Opened { .. } => "circuit_opened",
            Self::HalfOpen(_) => "circuit_half_open",
            Self::Closed(_) => "circuit_closed",
            Self::ForcedOpen => "circuit_forced_open",
            Self::Disabled => "circuit_disabled",
            Self::Shadowed => "circuit_shadowed",
            Self::Reset { .. } => "circuit_reset",
        }
    }

    /// Whether the library may tell nothing instead.
    pub(crate) const fn may_be_missing(&self) -> bool {
        matches!(self, Self::Reset { is_sure: false } | Self::Rejected { count: None, .. })
    }

    /// Whether that is what the library told: these fields, and no others.
    pub(crate) fn is_heard(&self, heard: &Heard, named: Named<'_>) -> bool {
        let fields = self.fields(named);
        let fits = |(name, field): (&&str, &Field)| {
            heard.fields.get(*name).is_some_and(|said| match field {
                Field::Is(text) => said == text,
                Field::Millis(from, to) => {
                    said.parse().is_ok_and(|millis: u64| (from.div_ceil(1_000_000)..=to.div_ceil(1_000_000)).contains(&millis))
                }
                Field::Anything => true,
            })
        };
        heard.name == self.name() && fields.len() == heard.fields.len() && fields.iter().all(fits)
    }

    fn fields(&self, named: Named<'_>) -> BTreeMap<&'static str, Field> {
        let is = |value: &dyn ToString| Field::Is(value.to_string());
        let mut fields = BTreeMap::new();
        let is_of_call = matches!(
            self,
            Self::Retry { .. } | Self::Exhausted { .. } | Self::Rejected { .. } | Self::WouldReject(_) | Self::BlockingWait
        );
        if is_of_call {
            fields.insert("function", is(&named.function));
        }
        if let (Some(breaker), false) = (named.breaker, matches!(self, Self::Rejected { .. } | Self::BlockingWait)) {
            fields.insert("breaker", is(&breaker));
        }
        match self {
            Self::Retry { attempt, delay: (from, to), verdict } => {
                fields.extend([("attempt", is(attempt)), ("delay_ms", Field::Millis(*from, *to)), ("verdict", is(verdict))]);
            }
            Self::Exhausted { attempts, reason, verdict } => {
                fields.extend([("attempts", is(attempts)), ("reason", is(reason)), ("verdict", is(verdict))]);
            }
            Self::Rejected { kind, has_name, told, attempts, count } => {
                fields.extend([("reason", is(&kind.word())), ("attempts", is(attempts))]);
                fields.insert("count", count.map_or(Field::Anything, |count| is(&count)));
                let resource = named.resource(*kind).filter(|_| *has_name);
                fields.extend(resource.map(|resource| ("resource", is(&resource))));
                fields.extend(match *told {
                    Told::Nothing => None,
                    Told::Exactly(nanos) => Some(("retry_after_ms", Field::Millis(nanos, nanos))),
                    Told::Within(from, to) => Some(("retry_after_ms", Field::Millis(from, to))),
                });
            }
            Self::WouldReject(count) => fields.extend([("count", is(count))]),
            Self::BlockingWait => fields.extend([("hint", Field::Anything)]),
            Self::Opened { reason, counts: (calls, failures, slow_calls), open_for: (from, to), shadow } => {
                fields.extend([("reason", is(reason)), ("calls", is(calls)), ("failures", is(failures))]);
                fields.extend([("slow_calls", is(slow_calls)), ("open_for_ms", Field::Millis(*from, *to)), ("shadow", is(shadow))]);
            }
            Self::HalfOpen(shadow) | Self::Closed(shadow) => fields.extend([("shadow", is(shadow))]),
            Self::ForcedOpen | Self::Disabled | Self::Shadowed | Self::Reset { .. } => {}
        }
        fields
    }
}
