//! What a healthy call holds that needs a bulkhead's slot, or has a deadline: a little more than fits into registers, and far less
//! than an [engine](crate::engine).

use crate::bulkhead::Bulkhead;
use crate::call::Start;
use crate::clock::{Instant, Tick, tick};
use crate::engine::Engine;
use crate::nesting::{self, Scope};
use crate::plan::Plan;
use crate::pools::NO_POOL;
use crate::wishes;

/// The first attempt of such a call. Its slot, if it needs one, is taken until its body has ended.
#[derive(Debug)]
pub(crate) struct Seat<'p> {
    plan: &'p Plan<'p>,
    start: Start,
    is_taken: bool,
}

impl<'p> Seat<'p> {
    /// Everything that the attempt needs, had at once, if the call is alone; if not all, nothing is held.
    #[inline]
    pub(crate) fn take(plan: &'p Plan<'p>) -> Option<Self> {
        let asks_key = plan.keyed_bucket.is_some_and(|bucket| !bucket.is_paid());
        let is_over = plan.settings.deadline == 0;
        if !plan.gate.is_shut() || asks_key || is_over || !nesting::is_alone() || wishes::is_scripted() {
            return None;
        }
        let pass = plan.circuit.pass()?;
        let slot = match plan.bulkhead {
            Some(bulkhead) => Some(bulkhead.try_acquire()?),
            None => None,
        };
        let at = match plan.bucket {
            Some(bucket) => bucket.take_at_glance()?,
            None if plan.settings.deadline == u64::MAX => Tick::UNREAD,
            None => tick(),
        };
        std::mem::forget(slot);
        Some(Self { plan, start: Start { pass, at }, is_taken: true })
    }

    pub(crate) fn start(&self) -> Start {
        self.start
    }

    /// Whether its body has not ended.
    pub(crate) fn is_taken(&self) -> bool {
        self.is_taken
    }

    /// From here on the calls that the body makes are nested.
    #[inline]
    pub(crate) fn enter_body(&self) {
        if self.plan.settings.deadline == u64::MAX {
            nesting::descend(self.plan.pools);
        } else {
            nesting::replace(self.plan.scope_from(self.start.at.into()));
        }
    }

    #[inline]
    fn ascend(&self) {
        if self.plan.settings.deadline == u64::MAX {
            nesting::ascend();
        } else {
            nesting::replace(Scope::NONE);
        }
    }

    /// The body has ended.
    pub(crate) fn leave_body(&mut self) {
        if self.is_taken {
            self.ascend();
            self.is_taken = false;
            if let Some(bulkhead) = self.plan.bulkhead {
                bulkhead.taken().release();
            }
        }
    }

    /// The engine that goes on from here.
    pub(crate) fn take_over(&self) -> Engine<'p> {
        Engine::take_over(self.plan, self.start)
    }

    /// The body has not ended and is polled again: the engine that goes on with it holds the slot.
    pub(crate) fn pend(&mut self) -> Engine<'p> {
        self.ascend();
        let is_taken = std::mem::take(&mut self.is_taken);
        Engine::take_over_pending(self.plan, self.start, self.plan.bulkhead.filter(|_| is_taken).map(Bulkhead::taken))
    }
}

impl Plan<'_> {
    /// What a call with a deadline hands down that began then.
    pub(crate) fn scope_from(&self, started: Instant) -> Scope {
        Scope { ends: started.plus(self.settings.deadline), pools: self.pools.or(Some(&NO_POOL)) }
    }
}

#[cfg(test)]
mod tests;
