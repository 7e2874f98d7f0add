//! The engine: one call, as a plain value.
//!
//! It is told the time and the verdicts, and answers what to do next: run, wait, refuse, return. It never sleeps and knows no
//! futures; what drives it in threads is in `blocking`, in tasks in `polling`.

use crate::backoff::between;
use crate::breaker;
use crate::bucket::Token;
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
    /// Until when it is worth waiting for a turn; `NEVER` until the first wait.
    gives_up: Instant,
    previous_delay: u64,
    attempts: u32,
    phase: Phase,
    admission: Admission<'p>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Asking,
    Running,
    /// An attempt was stopped by its timeout; the breaker knows.
    TimedOut,
    Over,
}

/// What the coming or running attempt holds; given back when dropped.
#[derive(Debug, Default)]
struct Admission<'p> {
    permit: Option<breaker::Permit<'p>>,
    token: Option<Token<'p>>,
    slot: Option<Slot<'p>>,
}

/// The wait before the next attempt.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the next attempt must wait so long"]
pub struct Delay(pub(crate) u64);

/// What is to be done before the body may run.
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
        let started = if plan.reads_clock() { clock() } else { Instant::NEVER };
        Self {
            plan,
            ends: started.plus(plan.settings.deadline),
            started,
            gives_up: Instant::NEVER,
            previous_delay: 0,
            attempts: 0,
            phase: Phase::Asking,
            admission: Admission::default(),
        }
    }

    pub(crate) fn plan(&self) -> &'p Plan<'p> {
        self.plan
    }

    /// Another attempt comes.
    #[cfg(feature = "tokio")]
    #[inline]
    pub(crate) fn begin_attempt(&mut self) {
        self.phase = Phase::Asking;
    }

    /// Whether the body may run: everything that it needs is held.
    #[cfg(feature = "tokio")]
    #[inline]
    pub(crate) fn is_running(&self) -> bool {
        self.phase == Phase::Running
    }

    /// Whether nothing can follow the attempt that returned a refusal.
    #[inline]
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.phase != Phase::TimedOut
    }

    /// Whether the coming attempt is the last.
    #[inline]
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.attempts >= self.plan.settings.retries
    }

    /// Asks for everything that the coming attempt needs; what is had at once takes no detour.
    #[inline]
    pub(crate) fn admit(&mut self, clock: impl Fn() -> Instant) -> Step<'p> {
        self.phase = Phase::Asking;
        if self.attempts > 0 && self.ends != Instant::NEVER {
            return self.resume(clock());
        }
        if let Some(breaker) = self.plan.breaker {
            match breaker.admit_healthy() {
                Some(permit) => put(&mut self.admission.permit, permit),
                None => {
                    if let Err(refusal) = self.ask_breaker(clock()) {
                        return refusal;
                    }
                }
            }
        }
        if let Some(bucket) = self.plan.bucket {
            if self.started == Instant::NEVER {
                self.started = clock();
            }
            let now = self.started;
            match bucket.take(now) {
                Some(token) if self.plan.bulkhead.is_none() => token.spend(),
                Some(token) => put(&mut self.admission.token, token),
                None => return self.resume(now),
            }
        }
        if let Some(bulkhead) = self.plan.bulkhead {
            match bulkhead.try_acquire() {
                Some(slot) => put(&mut self.admission.slot, slot),
                None => return self.resume(clock()),
            }
            if let Some(token) = self.admission.token.take() {
                token.spend();
            }
        }
        self.run()
    }

    #[inline]
    fn run(&mut self) -> Step<'p> {
        self.attempts = self.attempts.saturating_add(1);
        self.phase = Phase::Running;
        Step::Run
    }

    /// Asks again for what is still missing. A breaker's permit is never kept across a wait: what was closed when the wait began may
    /// be open now, and a probe's place is not for those who stand in line.
    #[cold]
    pub(crate) fn resume(&mut self, now: Instant) -> Step<'p> {
        self.started = now;
        if self.gives_up == Instant::NEVER {
            self.gives_up = now.plus(self.plan.settings.max_wait).min(self.ends);
        }
        if now >= self.ends {
            return self.refuse(Rejected::DeadlineExceeded, None, Some(self.deadline()));
        }
        if let Err(refusal) = self.ask_breaker(now) {
            return refusal;
        }
        if let Err(step) = self.ask_bucket(now) {
            return step;
        }
        if let Err(step) = self.ask_bulkhead(now) {
            return step;
        }
        self.gives_up = Instant::NEVER;
        if let Some(token) = self.admission.token.take() {
            token.spend();
        }
        self.run()
    }

    #[cold]
    fn ask_breaker(&mut self, now: Instant) -> Result<(), Step<'p>> {
        let Some(breaker) = self.plan.breaker.filter(|_| self.admission.permit.is_none()) else { return Ok(()) };
        match breaker.admit(now, self.lease()) {
            Ok(permit) => self.admission.permit = Some(permit),
            Err(until) => return Err(self.refuse_open(until, now)),
        }
        Ok(())
    }

    fn ask_bucket(&mut self, now: Instant) -> Result<(), Step<'p>> {
        let Some(bucket) = self.plan.bucket else { return Ok(()) };
        let held = self.admission.token.take().filter(|token| token.at > now || !token.is_stale(now));
        let token = match held.map_or_else(|| bucket.reserve(now, self.gives_up), Ok) {
            Ok(token) => token,
            Err(due) => {
                let wait = Duration::from_nanos(due.since(now).max(1));
                return Err(self.refuse(Rejected::RateLimited, bucket.name(), Some(wait)));
            }
        };
        let at = token.at;
        self.admission.token = Some(token);
        if at > now {
            self.admission.permit = None;
            return Err(Step::Sleep(at));
        }
        Ok(())
    }

    fn ask_bulkhead(&mut self, now: Instant) -> Result<(), Step<'p>> {
        let Some(bulkhead) = self.plan.bulkhead.filter(|_| self.admission.slot.is_none()) else { return Ok(()) };
        self.admission.slot = bulkhead.try_acquire();
        if self.admission.slot.is_some() {
            return Ok(());
        }
        if now >= self.gives_up {
            return Err(self.refuse(Rejected::BulkheadFull, bulkhead.name(), None));
        }
        self.admission.permit = None;
        Err(Step::Queue(bulkhead, self.gives_up))
    }

    /// The slot that was waited for.
    pub(crate) fn seat(&mut self, slot: Slot<'p>) {
        self.admission.slot = Some(slot);
    }

    /// How long a probe may take before another may try.
    fn lease(&self) -> Option<u64> {
        let timeout = self.plan.settings.timeout;
        (timeout != u64::MAX).then_some(timeout)
    }

    fn deadline(&self) -> Duration {
        Duration::from_nanos(self.plan.settings.deadline)
    }

    #[cold]
    fn refuse_open(&mut self, until: Option<Instant>, now: Instant) -> Step<'p> {
        let wait = until.map(|until| Duration::from_nanos(until.since(now).max(1)));
        let name = self.plan.breaker_name();
        self.refuse(Rejected::CircuitOpen, name, wait)
    }

    #[cold]
    fn refuse(&mut self, kind: fn(Refusal) -> Rejected, resource: Option<&'static str>, time: Option<Duration>) -> Step<'p> {
        let rejected = self.end_with(kind, resource, time);
        events::rejected(self.plan, &rejected, crate::clock::now);
        Step::Refuse(rejected)
    }

    fn end_with(&mut self, kind: fn(Refusal) -> Rejected, resource: Option<&'static str>, time: Option<Duration>) -> Rejected {
        self.admission = Admission::default();
        self.phase = Phase::Over;
        kind(Refusal { function: self.plan.function, resource, attempts: self.attempts, time })
    }

    /// The body has ended, so its slot is free.
    #[inline]
    pub(crate) fn body_ended(&mut self) {
        if let Some(slot) = self.admission.slot.take() {
            slot.release();
        }
    }

    /// The body panicked: one failure, and everything else is given back.
    #[cold]
    pub(crate) fn body_panicked(&mut self, now: Instant, random: u64) {
        let admission = std::mem::take(&mut self.admission);
        if let Some(permit) = admission.permit {
            permit.fail(now, random);
        }
    }

    /// Takes the verdict on an attempt: what it holds is accounted for, and a retry decided.
    #[inline]
    pub fn settle(&mut self, judged: Judged<'_>) -> ControlFlow<(), Delay> {
        if self.is_success(&judged) {
            if let Some(budget) = self.plan.budget {
                budget.earn(crate::clock::now);
            }
            return ControlFlow::Break(());
        }
        self.settle_unsuccessful(judged)
    }

    /// The same, where nothing is retried.
    #[inline]
    pub fn settle_once(&mut self, judged: Judged<'_>) {
        if !self.is_success(&judged) {
            self.account_unsuccessful(judged);
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

    #[inline]
    fn is_success(&mut self, judged: &Judged<'_>) -> bool {
        let is_success = judged.verdict == Verdict::Success;
        if is_success && let Some(permit) = self.admission.permit.take() {
            permit.succeed();
        }
        is_success
    }

    fn settle_at(&mut self, judged: &Judged<'_>, now: Instant, random: u64) -> ControlFlow<(), Delay> {
        self.account(judged, now, random);
        if !judged.again {
            return ControlFlow::Break(());
        }
        match self.next_delay(judged, now, random) {
            Ok(delay) => {
                events::retry(self.plan, self.attempts, delay, judged);
                self.previous_delay = delay;
                self.started = Instant::NEVER;
                ControlFlow::Continue(Delay(delay))
            }
            Err(end) => {
                events::exhausted(self.plan, self.attempts, end, judged);
                ControlFlow::Break(())
            }
        }
    }

    /// Breaker and bucket learn what the attempt says about the service. A timeout is a failure whatever is said of it, and counted.
    fn account(&mut self, judged: &Judged<'_>, now: Instant, random: u64) {
        if judged.is_unclassified {
            events::unclassified(self.plan, judged);
        }
        let hint = hint(judged);
        if let Some(permit) = self.admission.permit.take() {
            match (judged.verdict, hint) {
                (Verdict::Success | Verdict::Permanent, _) => permit.succeed(),
                (Verdict::Transient { .. }, _) => permit.fail(now, random),
                (Verdict::Throttled { .. }, Some(hint)) => permit.hold(now.plus(hint)),
                (Verdict::Throttled { .. } | Verdict::Ignored, _) => drop(permit),
            }
        }
        if let (Some(bucket), Some(hint)) = (self.plan.bucket, hint) {
            bucket.pause(now.plus(hint.min(self.plan.settings.max_retry_after)));
        }
    }

    /// The wait before the next attempt, if there is to be one; the budget is asked last, so that nothing is spent for nothing.
    fn next_delay(&mut self, judged: &Judged<'_>, now: Instant, random: u64) -> Result<u64, End> {
        let Plan { settings, breaker, budget, .. } = *self.plan;
        if self.attempts > settings.retries {
            return Err(End::Attempts);
        }
        let own = settings.schedule.wait(self.attempts, self.previous_delay, random);
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
        if budget.is_some_and(|budget| !budget.take(now)) {
            return Err(End::Budget);
        }
        Ok(delay)
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

    /// The body was stopped at the end of its time. A deadline says something about the service only if it left the attempt its
    /// full timeout, or, without one, half of itself.
    #[cold]
    pub(crate) fn stop_body(&mut self, now: Instant, random: u64) -> Rejected {
        let Plan { settings, .. } = *self.plan;
        let is_timeout = self.started.plus(settings.timeout) <= self.ends;
        let had_its_half = settings.timeout == u64::MAX && now.since(self.started) >= settings.deadline / 2;
        let permit = self.admission.permit.take();
        if (is_timeout || had_its_half)
            && let Some(permit) = permit
        {
            permit.fail(now, random);
        }
        let rejected = if is_timeout {
            self.end_with(Rejected::Timeout, None, Some(Duration::from_nanos(settings.timeout)))
        } else {
            self.end_with(Rejected::DeadlineExceeded, None, Some(self.deadline()))
        };
        if is_timeout && settings.retries > 0 {
            self.phase = Phase::TimedOut;
        } else {
            events::rejected(self.plan, &rejected, || now);
        }
        rejected
    }
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
