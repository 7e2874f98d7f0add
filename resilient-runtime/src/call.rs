//! The engine: one call, as a plain value.
//!
//! It is told the time and the verdicts, and answers what to do next: run, wait, refuse, return. It never sleeps and knows no
//! futures; what drives it in threads is in `blocking`, in tasks in `polling`.

use crate::backoff::between;
use crate::breaker;
use crate::bucket::{Bucket, Token};
use crate::bulkhead::{Bulkhead, Slot};
use crate::clock::{Instant, nanos};
use crate::events::{self, End};
use crate::judging::Judged;
use crate::plan::Plan;
use crate::rejected::{Refusal, Rejected};
use crate::verdict::Verdict;
use std::ops::ControlFlow;
use std::time::Duration;

/// One call, over all its attempts.
#[doc(hidden)]
#[derive(Debug)]
pub struct Call<'p> {
    plan: &'p Plan<'p>,
    ends: Instant,
    /// When the attempt began, or the call before its first; `NEVER` where nobody has asked yet.
    started: Instant,
    previous_delay: u64,
    attempts: u64,
    admission: Admission<'p>,
}

/// What an attempt holds while its body runs. Settling spends it; dropped, it is given back as if nothing had been asked.
#[derive(Debug)]
#[repr(C)] // Its two empty places stand side by side, so that one store empties both.
struct Admission<'p> {
    slot: Option<Slot<'p>>,
    permit: Option<breaker::Permit<'p>>,
}

/// What an attempt has so far that must wait for the rest.
#[derive(Debug)]
pub(crate) struct Turn<'p> {
    token: Option<Token<'p>>,
    slot: Option<Slot<'p>>,
    /// Until when it is worth waiting.
    gives_up: Instant,
}

/// A probe that times out must be able to say so before its lease ends.
const LEASE_SLACK: u64 = 100_000_000;

/// The wait before the next attempt.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the next attempt must wait so long"]
pub struct Delay(pub(crate) u64);

/// What an attempt that waits for its turn does next.
#[derive(Debug)]
pub(crate) enum Step<'p> {
    Run,
    Sleep(Instant),
    Queue(&'p Bulkhead, Instant),
    Refuse(Rejected),
}

impl<'p> Call<'p> {
    #[inline]
    pub(crate) fn new(plan: &'p Plan<'p>, clock: impl FnOnce() -> Instant) -> Self {
        let (mut started, mut ends) = (Instant::NEVER, Instant::NEVER);
        if plan.settings.deadline != u64::MAX {
            started = clock();
            ends = started.plus(plan.settings.deadline);
        }
        let admission = Admission { permit: None, slot: None };
        Self { plan, ends, started, previous_delay: 0, attempts: 0, admission }
    }

    pub(crate) fn plan(&self) -> &'p Plan<'p> {
        self.plan
    }

    /// Whether the coming attempt is the last.
    #[inline]
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.attempts >= u64::from(self.plan.settings.retries)
    }

    /// Whether everything that the coming attempt needs is had at once. If not, nothing is held, and it takes a [`Turn`].
    #[inline]
    pub(crate) fn starts_at_once(&mut self, clock: impl Fn() -> Instant) -> bool {
        let plan = self.plan;
        if self.attempts > 0 && self.ends != Instant::NEVER {
            return false;
        }
        if let Some(breaker) = plan.breaker
            && !breaker.admit_healthy(|permit| put(&mut self.admission.permit, permit))
        {
            return false;
        }
        if let Some(bucket) = plan.bucket {
            if self.started == Instant::NEVER {
                self.started = clock();
            }
            if let Some(bulkhead) = plan.bulkhead {
                return self.starts_with_both(bucket, bulkhead);
            }
            if !bucket.take_and_spend(self.started) {
                return self.starts_by_key();
            }
        } else if let Some(bulkhead) = plan.bulkhead {
            let Some(slot) = bulkhead.try_acquire() else { return self.gives_back() };
            put(&mut self.admission.slot, slot);
        }
        self.start();
        true
    }

    fn starts_with_both(&mut self, bucket: &'p Bucket, bulkhead: &'p Bulkhead) -> bool {
        let Some(token) = bucket.take(self.started) else { return self.starts_with_both_by_key(bulkhead) };
        let Some(slot) = bulkhead.try_acquire() else { return self.gives_back() };
        token.spend();
        put(&mut self.admission.slot, slot);
        self.start();
        true
    }

    #[cold]
    fn starts_by_key(&mut self) -> bool {
        if !self.plan.takes_by_key(self.started) {
            return self.gives_back();
        }
        self.start();
        true
    }

    #[cold]
    fn starts_with_both_by_key(&mut self, bulkhead: &'p Bulkhead) -> bool {
        let slot = self.plan.keyed_bucket.and_then(|_| bulkhead.try_acquire());
        let Some(slot) = slot.filter(|_| self.plan.takes_by_key(self.started)) else { return self.gives_back() };
        put(&mut self.admission.slot, slot);
        self.start();
        true
    }

    #[cold]
    fn gives_back(&mut self) -> bool {
        self.admission = Admission { permit: None, slot: None };
        false
    }

    #[inline]
    fn start(&mut self) {
        self.attempts += 1;
    }

    /// A place in the order of those who must wait.
    #[cold]
    pub(crate) fn turn(&self, now: Instant) -> Turn<'p> {
        Turn { token: None, slot: None, gives_up: now.plus(self.plan.settings.max_wait).min(self.ends) }
    }

    /// Asks for what is still missing. A breaker's permit is never kept across a wait: what was closed when the wait began may be
    /// open now, and a probe's place is not for those who stand in line.
    #[cold]
    pub(crate) fn advance(&mut self, turn: &mut Turn<'p>, now: Instant) -> Step<'p> {
        self.started = now;
        if now >= self.ends {
            return self.refuse(Rejected::DeadlineExceeded, None, Some(self.deadline()));
        }
        let permit = match self.ask_breaker(now) {
            Ok(permit) => permit,
            Err(refusal) => return refusal,
        };
        if let Err(step) = self.ask_bucket(turn, now).and_then(|()| self.ask_bulkhead(turn, now)) {
            return step;
        }
        if let Some(token) = turn.token.take() {
            token.spend();
        }
        self.admission = Admission { permit, slot: turn.slot.take() };
        self.start();
        Step::Run
    }

    fn ask_breaker(&mut self, now: Instant) -> Result<Option<breaker::Permit<'p>>, Step<'p>> {
        let Some(breaker) = self.plan.breaker else { return Ok(None) };
        breaker.admit(now, self.lease()).map(Some).map_err(|until| {
            let wait = until.map(|until| Duration::from_nanos(until.since(now).max(1)));
            self.refuse(Rejected::CircuitOpen, Some(breaker.name()), wait)
        })
    }

    fn ask_bucket(&mut self, turn: &mut Turn<'p>, now: Instant) -> Result<(), Step<'p>> {
        let Some(bucket) = self.plan.bucket() else { return Ok(()) };
        let held = turn.token.take().filter(|token| token.at > now || !token.is_stale(now));
        let token = held.map_or_else(|| bucket.reserve(now, turn.gives_up.max(now)), Ok).map_err(|due| {
            let wait = Duration::from_nanos(due.since(now).max(1));
            self.refuse(Rejected::RateLimited, bucket.name(), Some(wait))
        })?;
        let at = token.at;
        turn.token = Some(token);
        if at > now { Err(Step::Sleep(at)) } else { Ok(()) }
    }

    fn ask_bulkhead(&mut self, turn: &mut Turn<'p>, now: Instant) -> Result<(), Step<'p>> {
        let Some(bulkhead) = self.plan.bulkhead.filter(|_| turn.slot.is_none()) else { return Ok(()) };
        turn.slot = bulkhead.try_acquire();
        if turn.slot.is_some() {
            return Ok(());
        }
        if now >= turn.gives_up {
            return Err(self.refuse(Rejected::BulkheadFull, bulkhead.name(), None));
        }
        // Kept in the line for slots it would go stale, and everybody's behind it: whoever is seated takes one anew.
        turn.token = None;
        Err(Step::Queue(bulkhead, turn.gives_up))
    }

    fn attempts(&self) -> u32 {
        u32::try_from(self.attempts).unwrap_or(u32::MAX)
    }

    /// How long a probe may take before another may try.
    fn lease(&self) -> Option<u64> {
        let timeout = self.plan.settings.timeout;
        (timeout != u64::MAX).then_some(timeout.saturating_add(LEASE_SLACK))
    }

    fn deadline(&self) -> Duration {
        Duration::from_nanos(self.plan.settings.deadline)
    }

    /// A refusal before the body ran, at a time that is when the attempt wanted to start.
    #[cold]
    fn refuse(&mut self, kind: fn(Refusal) -> Rejected, resource: Option<&'static str>, time: Option<Duration>) -> Step<'p> {
        self.admission = Admission { permit: None, slot: None };
        let rejected = self.rejected(kind, resource, time);
        events::rejected(self.plan, &rejected, self.started);
        Step::Refuse(rejected)
    }

    fn rejected(&self, kind: fn(Refusal) -> Rejected, resource: Option<&'static str>, time: Option<Duration>) -> Rejected {
        kind(Refusal { function: self.plan.function, resource, attempts: self.attempts(), time })
    }

    /// Takes the verdict on an attempt: what it holds is accounted for, and a retry decided.
    #[inline]
    pub fn settle(&mut self, judged: Judged<'_>) -> ControlFlow<(), Delay> {
        if judged.verdict != Verdict::Success {
            return self.settle_unsuccessful(judged);
        }
        self.succeed();
        self.plan.budget.earn(crate::clock::now);
        ControlFlow::Break(())
    }

    /// The same, where nothing is retried.
    #[inline]
    pub fn settle_once(&mut self, judged: Judged<'_>) {
        if judged.verdict == Verdict::Success {
            self.succeed();
        } else {
            self.account_unsuccessful(judged);
        }
    }

    #[inline]
    fn succeed(&mut self) {
        if let Some(permit) = &self.admission.permit {
            permit.succeed();
            std::mem::forget(self.admission.permit.take());
        }
    }

    /// The body has ended, so its slot is free.
    #[inline]
    pub(crate) fn body_ended(&mut self) {
        if self.plan.bulkhead.is_some() {
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
    pub(crate) fn body_panicked(&mut self, now: Instant, random: u64) {
        self.body_ended();
        if let Some(permit) = self.admission.permit.take() {
            permit.fail(now, random);
        }
    }

    #[cold]
    fn settle_unsuccessful(&mut self, judged: Judged<'_>) -> ControlFlow<(), Delay> {
        self.settle_at(&judged, crate::clock::now(), fastrand::u64(..))
    }

    #[cold]
    fn account_unsuccessful(&mut self, judged: Judged<'_>) {
        self.account(&judged, crate::clock::now(), fastrand::u64(..));
    }

    fn settle_at(&mut self, judged: &Judged<'_>, now: Instant, random: u64) -> ControlFlow<(), Delay> {
        self.release_slot();
        self.account(judged, now, random);
        if !judged.again {
            return ControlFlow::Break(());
        }
        match self.next_delay(judged, now, random) {
            Ok(delay) => {
                events::retry(self.plan, self.attempts(), delay, judged);
                self.previous_delay = delay;
                self.started = Instant::NEVER;
                ControlFlow::Continue(Delay(delay))
            }
            Err(end) => {
                events::exhausted(self.plan, self.attempts(), end, judged);
                ControlFlow::Break(())
            }
        }
    }

    /// Breaker and bucket learn what the attempt says about the service. A timeout is a failure whatever is said of it, and counted.
    fn account(&mut self, judged: &Judged<'_>, now: Instant, random: u64) {
        if judged.is_unclassified {
            events::unclassified(self.plan, judged);
        }
        let hint = hint(judged).map(|hint| hint.min(self.plan.settings.max_retry_after));
        if let Some(permit) = self.admission.permit.take() {
            match (judged.verdict, hint) {
                (Verdict::Success | Verdict::Permanent, _) => {
                    permit.succeed();
                    std::mem::forget(permit);
                }
                (Verdict::Transient { .. }, _) => permit.fail(now, random),
                (Verdict::Throttled { .. }, Some(hint)) => permit.hold(now.plus(hint)),
                (Verdict::Throttled { .. } | Verdict::Ignored, _) => drop(permit),
            }
        }
        if let Some(hint) = hint
            && let Some(bucket) = self.plan.bucket()
        {
            bucket.pause(now, hint);
        }
    }

    /// The wait before the next attempt, if there is to be one; the budget is asked last, so that nothing is spent for nothing.
    fn next_delay(&mut self, judged: &Judged<'_>, now: Instant, random: u64) -> Result<u64, End> {
        let Plan { settings, breaker, budget, .. } = *self.plan;
        if self.attempts > u64::from(settings.retries) {
            return Err(End::Attempts);
        }
        let own = settings.schedule.wait(self.attempts(), self.previous_delay, random);
        let delay = match hint(judged) {
            Some(hint) if hint > settings.max_retry_after => return Err(End::Hint),
            Some(hint) => spread_hint(own, hint, settings.max_retry_after, random),
            None => own,
        };
        if self.ends != Instant::NEVER && now.plus(delay) >= self.ends {
            return Err(End::Deadline);
        }
        if breaker.is_some_and(|breaker| breaker.is_refusing(now)) {
            return Err(End::CircuitOpen);
        }
        if !budget.take(now) {
            return Err(End::Budget);
        }
        Ok(delay)
    }
}

impl<'p> Turn<'p> {
    /// The slot that was waited for.
    pub(crate) fn seat(&mut self, slot: Slot<'p>) {
        self.slot = Some(slot);
    }
}

/// Stopping a body, which only a future allows.
#[cfg(feature = "tokio")]
impl Call<'_> {
    #[inline]
    pub(crate) fn has_limit(&self) -> bool {
        self.plan.settings.timeout != u64::MAX || self.ends != Instant::NEVER
    }

    /// When the running body must be stopped, its start being now if nobody had to know it before.
    pub(crate) fn body_ends(&mut self, now: Instant) -> Instant {
        if self.started == Instant::NEVER {
            self.started = now;
        }
        self.started.plus(self.plan.settings.timeout).min(self.ends)
    }

    /// The body is stopped at the end of its time; its slot stays taken until it is dropped and the call goes on or ends. A deadline says something about the service only if it left the attempt its
    /// full timeout, or, without one, half of itself.
    #[cold]
    pub(crate) fn stop_body(&mut self, now: Instant, random: u64) -> Rejected {
        let Plan { settings, .. } = *self.plan;
        let is_timeout = self.started.plus(settings.timeout) <= self.ends;
        let had_its_half = settings.timeout == u64::MAX && now.since(self.started) >= settings.deadline / 2;
        if (is_timeout || had_its_half)
            && let Some(permit) = self.admission.permit.take()
        {
            permit.fail(now, random);
        }
        let rejected = if is_timeout {
            self.rejected(Rejected::Timeout, None, Some(Duration::from_nanos(settings.timeout)))
        } else {
            self.rejected(Rejected::DeadlineExceeded, None, Some(self.deadline()))
        };
        if !is_timeout || settings.retries == 0 {
            events::rejected(self.plan, &rejected, now);
        }
        rejected
    }
}

/// Whether nothing can follow the attempt that ended so: only a timeout may be retried.
#[doc(hidden)]
#[must_use]
pub fn is_final(rejected: &Rejected) -> bool {
    !matches!(rejected, Rejected::Timeout(_))
}

/// Fills a place that is empty, without the code that would drop what it held.
#[inline]
fn put<T>(place: &mut Option<T>, value: T) {
    debug_assert!(place.is_none());
    std::mem::forget(place.replace(value));
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
