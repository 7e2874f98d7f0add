//! The engine: one call, as a plain value.
//!
//! It is told the time and the verdicts, and answers what to do next: run, wait, refuse, return. It never sleeps and knows no
//! futures; what drives it in threads is in `blocking`, in tasks in `polling`.

use crate::backoff::between;
use crate::breaker;
use crate::bucket::{Bucket, Nap, Token};
use crate::bulkhead::{Bulkhead, Slot};
use crate::clock::{self, Instant, nanos};
use crate::events::{self, End};
use crate::judging::Judged;
use crate::nesting::Scope;
use crate::plan::Plan;
use crate::pools::{self, NO_POOL};
use crate::rejected::{Refusal, Rejected};
use crate::script::{Cue, Ticket};
use crate::switches;
use crate::verdict::Verdict;
use crate::wishes;
use std::ops::ControlFlow;
use std::time::Duration;

/// One call, over all its attempts.
#[doc(hidden)]
#[derive(Debug)]
#[repr(C)] // What begins as zero stands together, so that few stores begin it.
pub struct Call<'p> {
    plan: &'p Plan<'p>,
    /// What it hands down, and when it must end itself.
    scope: Scope,
    /// When the attempt's body began, or the call before its first; `NEVER` where nobody has asked yet.
    started: Instant,
    previous_delay: u64,
    attempts: u32,
    deadline: Deadline,
    /// Whether an enclosing call has a pool.
    is_nested: bool,
    is_never_refused: bool,
    admission: Admission<'p>,
}

/// What the coming attempt has to do with the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)] // With the flags behind it, one word.
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
    /// Nobody hands a slot over to it any more.
    is_over: bool,
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
    Sleep(Nap<'p>),
    Queue(&'p Bulkhead, Instant),
    Refuse(Rejected),
}

impl<'p> Call<'p> {
    #[inline]
    #[must_use]
    pub fn new(plan: &'p Plan<'p>) -> Self {
        Self {
            plan,
            scope: Scope { ends: Instant::NEVER, pools: plan.pools },
            started: Instant::NEVER,
            previous_delay: 0,
            attempts: 0,
            deadline: Deadline::None,
            is_nested: false,
            is_never_refused: false,
            admission: Admission { permit: None, slot: None },
        }
    }

    /// What was not known when it was made: the time, and its place among the calls around it.
    #[inline]
    pub(crate) fn begin(&mut self, is_alone: bool, clock: impl FnOnce() -> Instant, outer: impl FnOnce() -> Scope) {
        if !is_alone || self.plan.settings.deadline != u64::MAX {
            self.begin_with(clock, outer);
        }
    }

    #[cold]
    fn begin_with(&mut self, clock: impl FnOnce() -> Instant, outer: impl FnOnce() -> Scope) {
        let outer = outer();
        if self.plan.settings.deadline != u64::MAX {
            self.started = clock();
            self.scope.ends = self.started.plus(self.plan.settings.deadline);
            self.scope.pools = self.scope.pools.or(Some(&NO_POOL));
            self.deadline = Deadline::Ahead;
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
    #[inline]
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
    #[inline]
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.attempts >= self.plan.settings.retries
    }

    /// Whether everything that the coming attempt needs is had at once. If not, nothing is held, and it takes a [`Turn`].
    #[inline]
    pub(crate) fn starts_at_once(&mut self) -> bool {
        if self.deadline != Deadline::None {
            return self.starts_before_deadline();
        }
        self.takes_all(clock::glance)
    }

    /// A call that has just begun read the time when it set its deadline.
    #[cold]
    fn starts_before_deadline(&mut self) -> bool {
        if self.deadline != Deadline::Ahead {
            self.started = clock::now();
        }
        let started = self.started;
        let is_in_time = self.deadline == Deadline::Ahead || started < self.ends();
        is_in_time && !wishes::is_scripted() && self.takes_all(|| Some(started))
    }

    #[inline]
    fn takes_all(&mut self, glance: impl FnOnce() -> Option<Instant>) -> bool {
        let plan = self.plan;
        if let Some(breaker) = plan.breaker
            && !breaker.admit_healthy(|permit| put(&mut self.admission.permit, permit))
        {
            return false;
        }
        if let Some(bucket) = plan.bucket {
            return match glance() {
                Some(now) => self.takes_token(bucket, now),
                None => self.takes_token_late(bucket),
            };
        }
        if wishes::is_scripted() {
            self.give_back();
            return false;
        }
        if let Some(bulkhead) = plan.bulkhead {
            let Some(slot) = bulkhead.try_acquire() else {
                self.give_back();
                return false;
            };
            put(&mut self.admission.slot, slot);
        }
        self.start();
        true
    }

    #[inline]
    fn takes_token(&mut self, bucket: &'p Bucket, now: Instant) -> bool {
        self.started = now;
        if let Some(bulkhead) = self.plan.bulkhead {
            return self.takes_both(bucket, bulkhead);
        }
        if !bucket.take_and_spend(now) {
            return self.takes_by_key();
        }
        self.start();
        true
    }

    /// Where the time cannot be read at a glance, or a script has a say.
    #[inline(never)]
    fn takes_token_late(&mut self, bucket: &'p Bucket) -> bool {
        if wishes::is_scripted() {
            self.give_back();
            return false;
        }
        self.takes_token(bucket, clock::now())
    }

    #[inline(never)]
    fn takes_both(&mut self, bucket: &'p Bucket, bulkhead: &'p Bulkhead) -> bool {
        let both = bucket.take(self.started).and_then(|token| Some((token, bulkhead.try_acquire()?)));
        let Some((token, slot)) = both else { return self.takes_both_by_key(bulkhead) };
        token.spend();
        put(&mut self.admission.slot, slot);
        self.start();
        true
    }

    /// The bucket had no token, which of a key's it never has: the key's own may.
    #[cold]
    fn takes_by_key(&mut self) -> bool {
        if !self.plan.takes_by_key(self.started) {
            self.give_back();
            return false;
        }
        self.start();
        true
    }

    #[cold]
    fn takes_both_by_key(&mut self, bulkhead: &'p Bulkhead) -> bool {
        let slot = self.plan.keyed_bucket.and_then(|_| bulkhead.try_acquire());
        let Some(slot) = slot.filter(|_| self.plan.takes_by_key(self.started)) else {
            self.give_back();
            return false;
        };
        put(&mut self.admission.slot, slot);
        self.start();
        true
    }

    #[cold]
    fn give_back(&mut self) {
        self.admission = Admission { permit: None, slot: None };
    }

    #[inline]
    fn start(&mut self) {
        self.attempts += 1;
    }

    /// A place in the order of those who must wait.
    #[cold]
    pub(crate) fn turn(&self, now: Instant) -> Turn<'p> {
        // Where nothing can be told of a refusal, configuration cannot make the wait shorter either.
        let max_wait = if self.is_never_refused { u64::MAX } else { self.plan.settings.max_wait };
        Turn { token: None, slot: None, gives_up: now.plus(max_wait).min(self.ends()), is_over: false }
    }

    /// Asks for what is still missing. A breaker's permit is never kept across a wait: what was closed when the wait began may be
    /// open now, and a probe's place is not for those who stand in line.
    #[cold]
    pub(crate) fn advance(&mut self, turn: &mut Turn<'p>, now: Instant) -> Step<'p> {
        self.started = now;
        if now >= self.ends() {
            return self.refuse(Rejected::DeadlineExceeded, None, self.own_deadline());
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
        if permit.as_ref().is_some_and(breaker::Permit::is_excused) {
            events::would_reject(self.plan, now);
        }
        self.admission = Admission { permit, slot: turn.slot.take() };
        self.start();
        wishes::cue(self.plan).map_or(Step::Run, |cue| self.play(cue, now))
    }

    fn ask_breaker(&mut self, now: Instant) -> Result<Option<breaker::Permit<'p>>, Step<'p>> {
        let Some(breaker) = self.plan.breaker else { return Ok(None) };
        match breaker.admit(now, self.lease()) {
            Ok(permit) => Ok(Some(permit)),
            Err(until) => {
                let wait = until.map(|until| Duration::from_nanos(until.since(now).max(1)));
                Err(self.refuse(Rejected::CircuitOpen, Some(breaker.name()), wait))
            }
        }
    }

    fn ask_bucket(&mut self, turn: &mut Turn<'p>, now: Instant) -> Result<(), Step<'p>> {
        let Some(bucket) = self.plan.bucket() else { return Ok(()) };
        let nap = bucket.nap();
        let until = turn.gives_up.max(now);
        let held = turn.token.take().map(Token::carried).filter(|token| token.at > now || !token.is_stale(now));
        let in_time = |token: Token<'p>| if token.at > until { Err(token.at) } else { Ok(token) };
        let token = held.map_or_else(|| bucket.reserve(now, until), in_time).map_err(|due| {
            let wait = Duration::from_nanos(due.since(now).max(1));
            self.refuse(Rejected::RateLimited, bucket.name(), Some(wait))
        })?;
        let at = token.at;
        if at > now && wishes::skips(at.since(now)) {
            return Ok(());
        }
        turn.token = Some(token);
        if at > now { Err(Step::Sleep(nap(at))) } else { Ok(()) }
    }

    fn ask_bulkhead(&mut self, turn: &mut Turn<'p>, now: Instant) -> Result<(), Step<'p>> {
        let Some(bulkhead) = self.plan.bulkhead.filter(|_| turn.slot.is_none()) else { return Ok(()) };
        turn.slot = bulkhead.try_acquire();
        if turn.slot.is_some() {
            return Ok(());
        }
        if now >= turn.gives_up || turn.is_over {
            return Err(self.refuse(Rejected::BulkheadFull, bulkhead.name(), None));
        }
        // Kept in the line for slots it would go stale, and everybody's behind it: whoever is seated takes one anew.
        turn.token = None;
        Err(Step::Queue(bulkhead, turn.gives_up))
    }

    /// How long a probe may take before another may try.
    fn lease(&self) -> Option<u64> {
        let timeout = self.plan.settings.timeout;
        (timeout != u64::MAX).then_some(timeout.saturating_add(LEASE_SLACK))
    }

    /// The deadline that ends the call, if it is its own.
    fn own_deadline(&self) -> Option<Duration> {
        (self.deadline != Deadline::Inherited).then_some(Duration::from_nanos(self.plan.settings.deadline))
    }

    /// Whether the attempt was given what its function says: its full timeout, or without one half of the call's own deadline.
    fn had_its_time(&self, now: Instant) -> bool {
        let settings = &self.plan.settings;
        let enough = if settings.timeout == u64::MAX { settings.deadline / 2 } else { settings.timeout };
        now.since(self.started) >= enough
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
        kind(Refusal { function: self.plan.function, resource, attempts: self.attempts, time })
    }

    /// Takes the verdict on an attempt: what it holds is accounted for, and a retry decided.
    #[inline]
    pub fn settle(&mut self, judged: Judged<'_>) -> ControlFlow<(), Delay> {
        if judged.verdict != Verdict::Success {
            return self.settle_unsuccessful(judged);
        }
        self.succeed();
        if !self.plan.budget.is_full() {
            self.earn();
        }
        ControlFlow::Break(())
    }

    /// One success of the outermost call earns once, however many calls further in succeeded for it.
    #[cold]
    fn earn(&self) {
        if !self.is_nested {
            self.plan.budget.earn(crate::clock::now());
        }
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

    /// The same for an outcome from a script; apart, so that the body's own needs no help to find its way.
    #[cold]
    #[inline(never)]
    pub fn settle_scripted(&mut self, judged: Judged<'_>) -> ControlFlow<(), Delay> {
        self.settle(judged)
    }

    #[inline]
    fn succeed(&mut self) {
        if let Some(permit) = &self.admission.permit {
            if permit.is_told_of_success() {
                self.tell_success();
            }
            std::mem::forget(self.admission.permit.take());
        }
    }

    #[cold]
    fn tell_success(&self) {
        if let Some(permit) = &self.admission.permit {
            permit.succeed(self.started, crate::clock::now, || fastrand::u64(..));
        }
    }

    /// The body has ended, so its slot is free.
    #[inline]
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
    pub(crate) fn body_panicked(&mut self, now: Instant, random: u64) {
        self.body_ended();
        if let Some(permit) = self.admission.permit.take() {
            permit.fail(self.started, now, random);
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
                events::retry(self.plan, self.attempts, delay, judged);
                self.previous_delay = delay;
                self.started = Instant::NEVER;
                if self.deadline == Deadline::Ahead {
                    self.deadline = Deadline::Running;
                }
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

impl<'p> Turn<'p> {
    /// The slot that was waited for.
    pub(crate) fn seat(&mut self, slot: Slot<'p>) {
        self.slot = Some(slot);
    }

    /// It has waited long enough for a slot.
    pub(crate) fn end_queueing(&mut self) {
        self.is_over = true;
    }
}

/// What a script wants instead of the body.
impl<'p> Call<'p> {
    /// A ticket for the emitted code, which looks for one in front of every refusal, or the refusal that was asked for.
    #[cold]
    fn play(&mut self, cue: Cue, now: Instant) -> Step<'p> {
        let function = self.plan.function;
        match cue {
            Cue::Play(ticket) => {
                assert!(
                    self.plan.is_scriptable,
                    "`{function}` cannot be scripted: its return type has an `impl`, it is a `Policy` run by hand, or its crate \
                     was built without the feature `testing`; only `time_out` is for every function"
                );
                ticket.hand_over();
                Step::Refuse(self.rejected(Rejected::CircuitOpen, None, None))
            }
            Cue::TimeOut => {
                assert!(self.plan.settings.timeout != u64::MAX, "`{function}` was scripted to time out, and has no `timeout`");
                Step::Refuse(self.time_out(now))
            }
        }
    }

    #[cfg(feature = "tokio")]
    fn time_out(&mut self, now: Instant) -> Rejected {
        self.stop_body(now, fastrand::u64(..))
    }

    #[cfg(not(feature = "tokio"))]
    fn time_out(&mut self, _now: Instant) -> Rejected {
        self.rejected(Rejected::Timeout, None, None)
    }

    /// The outcome that stands in the body's place, if that is why it did not run.
    #[doc(hidden)]
    #[cold]
    #[inline(never)]
    pub fn script<R>(&mut self, play: impl FnOnce(&Ticket) -> R) -> Option<R> {
        let outcome = Ticket::take_up().map(|ticket| play(&ticket));
        if outcome.is_some() {
            self.body_ended();
        }
        outcome
    }
}

/// Stopping a body, which only a future allows.
#[cfg(feature = "tokio")]
impl Call<'_> {
    #[inline]
    pub(crate) fn has_limit(&self) -> bool {
        self.plan.settings.timeout != u64::MAX || self.ends() != Instant::NEVER
    }

    /// When the running body must be stopped, its start being now if nobody had to know it before.
    pub(crate) fn body_ends(&mut self, now: Instant) -> Instant {
        if self.started == Instant::NEVER {
            self.started = now;
        }
        self.started.plus(self.plan.settings.timeout).min(self.ends())
    }

    /// The body is stopped at the end of its time; its slot stays taken until it is dropped and the call goes on or ends. A deadline
    /// says something about the service only if it left the attempt its time.
    #[cold]
    pub(crate) fn stop_body(&mut self, now: Instant, random: u64) -> Rejected {
        let Plan { settings, .. } = *self.plan;
        let is_timeout = self.started.plus(settings.timeout) <= self.ends();
        if (is_timeout || self.had_its_time(now))
            && let Some(permit) = self.admission.permit.take()
        {
            permit.fail(self.started, now, random);
        }
        let rejected = if is_timeout {
            self.rejected(Rejected::Timeout, None, Some(Duration::from_nanos(settings.timeout)))
        } else {
            self.rejected(Rejected::DeadlineExceeded, None, self.own_deadline())
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
