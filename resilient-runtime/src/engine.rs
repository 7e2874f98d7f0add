//! The engine: one call that is not healthy, or needs more than most, as a plain value.
//!
//! It is told the time and the verdicts, and answers what to do next: run, wait, refuse, return. It never sleeps and knows no
//! futures; what drives it in threads is in `blocking`, in tasks in `polling`.

mod admission;
mod scripted;
#[cfg(feature = "tokio")]
mod stopping;

use crate::backoff::between;
use crate::breaker;
use crate::bulkhead::Slot;
use crate::call::Start;
use crate::clock::{Instant, nanos, now};
use crate::events::{self, End};
use crate::judging::Judged;
use crate::nesting::{self, Scope};
use crate::plan::Plan;
use crate::pools::{self, NO_POOL};
use crate::random;
use crate::refused::Refused;
use crate::rejected::{Kind, Time};
use crate::switches;
use crate::verdict::Verdict;
use crate::wishes;
pub(crate) use admission::Step;
#[cfg(feature = "tokio")]
pub(crate) use admission::Turn;

/// One call, over all its attempts.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "one word holds all five, and a future grows by every word in every layer")]
pub(crate) struct Engine<'p> {
    plan: &'p Plan<'p>,
    /// What it hands down, and when it must end itself; while its body runs, what stood there before.
    scope: Scope,
    /// When the attempt's body began, or the call before its first, or the wait between two; `NEVER` where nobody has asked yet.
    started: Instant,
    previous_delay: u64,
    attempts: u32,
    deadline: Deadline,
    /// Whether an enclosing call has a pool.
    is_nested: bool,
    /// The wait before the coming attempt is still to come.
    must_rest: bool,
    is_never_refused: bool,
    is_in_body: bool,
    /// The attempt ran out of time, and it is not known yet whether another follows.
    is_timeout_untold: bool,
    admission: Admission<'p>,
}

/// What the coming attempt has to do with the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deadline {
    None,
    /// Nothing yet: the call has just begun.
    Ahead,
    /// It may have passed.
    Running,
    /// So may an enclosing call's, which is earlier than the call's own.
    Inherited,
}

/// What an attempt holds while its body runs. Settling spends it; dropped, it is given back as if nothing had been asked.
#[derive(Debug, Default)]
struct Admission<'p> {
    slot: Option<Slot<'p>>,
    permit: Option<breaker::Permit<'p>>,
}

impl<'p> Engine<'p> {
    /// A call that has just begun.
    pub(crate) fn begin(plan: &'p Plan<'p>) -> Self {
        let mut engine = Self::alone(plan);
        engine.find_place(nesting::inherited());
        engine
    }

    fn alone(plan: &'p Plan<'p>) -> Self {
        Self {
            plan,
            scope: Scope { ends: Instant::NEVER, pools: plan.pools },
            started: Instant::NEVER,
            previous_delay: 0,
            attempts: 0,
            deadline: Deadline::None,
            is_nested: false,
            must_rest: false,
            is_never_refused: false,
            is_in_body: false,
            is_timeout_untold: false,
            admission: Admission::default(),
        }
    }

    /// A call whose first attempt started without one, and so with nothing around it.
    pub(crate) fn take_over(plan: &'p Plan<'p>, Start { pass, at }: Start) -> Self {
        let permit = plan.breaker.map(|breaker| breaker.permit(pass));
        let mut engine = Self::alone(plan);
        (engine.started, engine.attempts, engine.admission.permit) = (at.into(), 1, permit);
        if plan.settings.deadline != u64::MAX {
            (engine.scope, engine.deadline) = (plan.scope_from(engine.started), Deadline::Ahead);
        }
        engine
    }

    /// The same between two polls of the body: its slot stays taken.
    pub(crate) fn take_over_pending(plan: &'p Plan<'p>, start: Start, slot: Option<Slot<'p>>) -> Self {
        let mut engine = Self::take_over(plan, start);
        engine.admission.slot = slot;
        engine
    }

    /// Its place among the calls around it.
    fn find_place(&mut self, outer: Scope) {
        if self.plan.settings.deadline != u64::MAX {
            self.started = now();
            self.scope.ends = self.started.plus(self.plan.settings.deadline);
            self.scope.pools = self.scope.pools.or(Some(&NO_POOL));
            self.deadline = if self.plan.settings.deadline == 0 { Deadline::Running } else { Deadline::Ahead };
        }
        if let Some(pools) = outer.pools {
            self.is_nested = pools.has_pool();
            self.scope.pools = Some(self.plan.pools.map_or(pools, |own| pools.with(own)));
        }
        if outer.ends < self.scope.ends {
            self.scope.ends = outer.ends;
            self.deadline = Deadline::Inherited;
        }
    }

    /// What the calls further in inherit.
    pub(crate) fn handed_down(&self) -> Scope {
        self.scope
    }

    /// There is no way to tell its caller of a refusal: an inherited deadline keeps it from waiting for a retry, and from nothing
    /// else. A body that must end is stopped by the call that has the deadline.
    pub(crate) fn refuse_never(&mut self) {
        self.is_never_refused = true;
    }

    /// When it must be refused or stopped.
    fn ends(&self) -> Instant {
        if self.is_never_refused { Instant::NEVER } else { self.scope.ends }
    }

    pub(crate) fn plan(&self) -> &'p Plan<'p> {
        self.plan
    }

    /// Whether the coming attempt is the last.
    pub(crate) fn is_last(&self) -> bool {
        self.attempts >= self.plan.settings.retries
    }

    /// The deadline that ends the call, if it is its own.
    fn own_deadline(&self) -> Time {
        if self.deadline == Deadline::Inherited { Time::NONE } else { Time::nanos(self.plan.settings.deadline) }
    }

    /// Whether the attempt was given what its function says: its full timeout, or without one half of the call's own deadline.
    fn had_its_time(&self, now: Instant) -> bool {
        let settings = &self.plan.settings;
        let enough = if settings.timeout == u64::MAX { settings.deadline / 2 } else { settings.timeout };
        now.since(self.started) >= enough
    }

    /// A refusal before the body ran, at a time that is when the attempt wanted to start.
    #[cold]
    fn refuse(&mut self, kind: Kind, time: Time) -> Step<'p> {
        self.admission = Admission::default();
        let refused = Refused::by(kind, time);
        events::rejected(self.plan, refused, self.attempts, self.started);
        Step::Refuse(refused)
    }

    #[inline]
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// An attempt was a success.
    pub(crate) fn succeed_and_earn(&mut self) {
        self.succeed();
        if !self.plan.budget.is_full() {
            self.earn();
        }
    }

    /// One success of the outermost call earns once, however many calls further in succeeded for it.
    #[cold]
    fn earn(&self) {
        if !self.is_nested {
            self.plan.budget.earn(now());
        }
    }

    /// Until when to wait before the coming attempt, counted from the verdict on the last; for whoever drives the call.
    pub(crate) fn rest(&mut self) -> Option<Instant> {
        if !std::mem::take(&mut self.must_rest) {
            return None;
        }
        let settled = std::mem::replace(&mut self.started, Instant::NEVER);
        (!wishes::skips(self.previous_delay)).then(|| settled.plus(self.previous_delay))
    }

    /// The wait is over now.
    pub(crate) fn wake(&mut self, now: Instant) {
        self.started = now;
    }

    /// The same, where nothing is retried.
    pub(crate) fn succeed(&mut self) {
        if let Some(permit) = self.admission.permit.take() {
            permit.succeed(self.started, now, random::number);
            std::mem::forget(permit);
        }
    }

    /// From here on the calls that the body makes are nested.
    pub(crate) fn enter_body(&mut self) {
        self.scope = nesting::replace(self.scope);
        self.is_in_body = true;
    }

    /// The body has ended, if it was entered, or was polled.
    pub(crate) fn leave_body(&mut self) {
        if self.is_in_body {
            self.scope = nesting::replace(self.scope);
            self.is_in_body = false;
        }
    }

    /// The body has ended, so its slot is free.
    pub(crate) fn body_ended(&mut self) {
        if self.admission.slot.is_some() {
            self.release_slot();
        }
    }

    fn release_slot(&mut self) {
        if let Some(slot) = self.admission.slot.take() {
            slot.release();
        }
    }

    /// The body panicked: one failure, and everything else is given back.
    #[cold]
    pub(crate) fn body_panicked(&mut self) {
        self.body_ended();
        if let Some(permit) = self.admission.permit.take() {
            permit.fail(self.started, now(), random::number());
        }
    }

    /// Takes the verdict on an attempt that was none: what it holds is accounted for, and a retry decided. Whether the call is over.
    #[cold]
    pub(crate) fn settle(&mut self, judged: Judged<'_>) -> bool {
        self.settle_at(&judged, now(), random::number())
    }

    /// The same, where nothing is retried.
    #[cold]
    pub(crate) fn settle_once(&mut self, judged: Judged<'_>) {
        self.account(&judged, now(), random::number());
    }

    fn settle_at(&mut self, judged: &Judged<'_>, now: Instant, random: u64) -> bool {
        self.release_slot();
        self.account(judged, now, random);
        let was_stopped = std::mem::take(&mut self.is_timeout_untold);
        if !judged.again {
            if was_stopped {
                let timeout = Time::nanos(self.plan.settings.timeout);
                events::rejected(self.plan, Refused::by(Kind::Timeout, timeout), self.attempts, now);
            }
            return true;
        }
        match self.next_delay(judged, now, random) {
            Ok(delay) => {
                events::retry(self.plan, self.attempts, delay, judged);
                (self.previous_delay, self.must_rest, self.started) = (delay, true, now);
                if self.deadline == Deadline::Ahead {
                    self.deadline = Deadline::Running;
                }
                false
            }
            Err(end) => {
                if self.plan.settings.retries > 0 {
                    events::exhausted(self.plan, self.attempts, end, judged);
                }
                if judged.verdict == Verdict::Success {
                    self.earn();
                }
                true
            }
        }
    }

    /// Breaker and bucket learn what the attempt says about the service. A timeout is a failure whatever is said of it, and counted.
    fn account(&mut self, judged: &Judged<'_>, now: Instant, random: u64) {
        if judged.is_unclassified {
            events::unclassified(self.plan, judged);
        }
        let hint = hint(judged).filter(|_| !wishes::skips_waits()).map(|hint| hint.min(self.plan.settings.max_retry_after));
        if let Some(permit) = self.admission.permit.take() {
            match (judged.verdict, hint) {
                (Verdict::Success | Verdict::Permanent, _) => {
                    permit.succeed(self.started, || now, || random);
                    std::mem::forget(permit);
                }
                (Verdict::Transient { .. }, _) => permit.fail(self.started, now, random),
                (Verdict::Throttled { .. }, Some(hint)) => permit.hold(now.plus(hint)),
                // The calls further in gave up on the call's own deadline, a moment before it would have stopped them all.
                (Verdict::Ignored, _) if self.is_over(now) && self.had_its_time(now) => permit.fail(self.started, now, random),
                (Verdict::Throttled { .. } | Verdict::Ignored, _) => drop(permit),
            }
        }
        if let Some(hint) = hint
            && let Some(bucket) = self.plan.bucket()
        {
            bucket.pause(now, hint);
        }
    }

    /// Whether the call's own deadline has passed.
    fn is_over(&self, now: Instant) -> bool {
        self.deadline != Deadline::Inherited && self.plan.settings.deadline != u64::MAX && now >= self.scope.ends
    }

    /// The wait before the next attempt, if there is to be one; the budget is asked last, so that nothing is spent for nothing.
    fn next_delay(&mut self, judged: &Judged<'_>, now: Instant, random: u64) -> Result<u64, End> {
        let Plan { settings, breaker, budget, .. } = *self.plan;
        if self.attempts > settings.retries || wishes::cap(self.attempts) {
            return Err(End::Attempts);
        }
        if !switches::retries_are_enabled() {
            return Err(End::SwitchedOff);
        }
        let own = settings.schedule.wait(self.attempts, self.previous_delay, random);
        let delay = match hint(judged) {
            Some(hint) if hint > settings.max_retry_after => return Err(End::Hint),
            Some(hint) => spread_hint(own, hint, settings.max_retry_after, random),
            None => own,
        };
        if self.scope.ends != Instant::NEVER && now.plus(delay) >= self.scope.ends {
            return Err(End::Deadline);
        }
        if breaker.is_some_and(|breaker| breaker.is_refusing(now)) {
            return Err(End::CircuitOpen);
        }
        if !pools::take(budget, self.scope.pools, now) {
            return Err(End::Budget);
        }
        Ok(delay)
    }
}

/// In its body only a panic ends a call.
impl Drop for Engine<'_> {
    fn drop(&mut self) {
        if self.is_in_body {
            self.leave_body();
            self.body_panicked();
        }
    }
}

/// The server's wish; zero is none.
fn hint(judged: &Judged<'_>) -> Option<u64> {
    judged.verdict.retry_after().map(nanos).filter(|&hint| hint > 0)
}

/// Never earlier than the server asks, and up to a tenth later, so that its callers do not come back together.
fn spread_hint(own: u64, hint: u64, longest: u64, random: u64) -> u64 {
    let wait = own.max(hint);
    between(wait, wait.saturating_add(wait / 10), random.rotate_left(32)).min(longest.max(own))
}

#[cfg(test)]
mod tests;
