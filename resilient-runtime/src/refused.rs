//! A refusal on its way to where it is returned: two words, so that it stays in registers. The rest is read from the plan there.

#![expect(clippy::inline_always, reason = "what is made where it is returned is written once")]

use crate::bucket::Bucket;
use crate::bulkhead::Bulkhead;
use crate::plan::Plan;
use crate::rejected::{Kind, Refusal, Rejected, Time};

/// What refused, and the time that it names.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    kind: Kind,
    time: Time,
}

impl Refused {
    #[inline]
    pub(crate) const fn by(kind: Kind, time: Time) -> Self {
        Self { kind, time }
    }

    /// What a caller of that plan's function is told after so many attempts.
    #[inline(always)]
    pub(crate) fn told(self, plan: &Plan<'_>, attempts: u32) -> Rejected {
        let Self { kind, time } = self;
        kind.rejected(Refusal { function: plan.function, resource: resource(plan, kind), attempts, time })
    }
}

#[cold]
#[inline(never)]
fn resource(plan: &Plan<'_>, kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::CircuitOpen => plan.breaker_name(),
        Kind::RateLimited => plan.bucket.and_then(Bucket::name),
        Kind::BulkheadFull => plan.bulkhead.and_then(Bulkhead::name),
        Kind::Timeout | Kind::DeadlineExceeded => None,
    }
}
