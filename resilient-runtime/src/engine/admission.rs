//! Getting everything that an attempt needs: at once, or in its turn.

use super::{Admission, Deadline, Engine};
use crate::breaker;
use crate::bucket::{Nap, Token};
use crate::bulkhead::{Bulkhead, Slot};
use crate::clock::{Instant, now};
use crate::events;
use crate::refused::Refused;
use crate::rejected::{Kind, Time};
use crate::wishes;

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

/// What an attempt that waits for its turn does next.
#[derive(Debug)]
pub(crate) enum Step<'p> {
    Run,
    Sleep(Nap<'p>),
    Queue(&'p Bulkhead, Instant),
    Refuse(Refused),
}

impl<'p> Engine<'p> {
    /// Whether everything that the coming attempt needs is had at once. If not, nothing is held, and it takes a [`Turn`].
    pub(crate) fn starts_at_once(&mut self) -> bool {
        if wishes::is_scripted() || !self.is_in_time() || !self.takes_all() {
            self.give_back();
            return false;
        }
        self.start();
        true
    }

    /// A call that has just begun read the time when it set its deadline, as did one that has just waited; one without deadline and
    /// bucket need not know it.
    fn is_in_time(&mut self) -> bool {
        if self.started == Instant::NEVER && (self.deadline != Deadline::None || self.plan.bucket.is_some()) {
            self.started = now();
        }
        !matches!(self.deadline, Deadline::Running | Deadline::Inherited) || self.started < self.ends()
    }

    fn takes_all(&mut self) -> bool {
        let plan = self.plan;
        if let Some(breaker) = plan.breaker {
            let Some(pass) = breaker.circuit().pass() else { return false };
            self.admission.permit = Some(breaker.permit(pass));
        }
        match (plan.bucket, plan.bulkhead) {
            (None, None) => true,
            (Some(bucket), None) => bucket.take_and_spend(self.started) || plan.takes_by_key(self.started),
            (None, Some(bulkhead)) => self.takes_slot(bulkhead),
            (Some(bucket), Some(bulkhead)) => match bucket.take(self.started) {
                Some(token) => {
                    let is_seated = self.takes_slot(bulkhead);
                    if is_seated {
                        token.spend();
                    }
                    is_seated
                }
                // A front has no token, ever: the key's own bucket may.
                None => plan.keyed_bucket.is_some() && self.takes_slot(bulkhead) && plan.takes_by_key(self.started),
            },
        }
    }

    fn takes_slot(&mut self, bulkhead: &'p Bulkhead) -> bool {
        self.admission.slot = bulkhead.try_acquire();
        self.admission.slot.is_some()
    }

    pub(crate) fn give_back(&mut self) {
        self.admission = Admission::default();
    }

    fn start(&mut self) {
        self.attempts += 1;
    }

    /// A place in the order of those who must wait.
    #[cold]
    pub(crate) fn turn(&self, now: Instant) -> Turn<'p> {
        // Where nothing can be told of a refusal, configuration cannot make the wait shorter either.
        let max_wait = if self.is_never_refused { u64::MAX } else { self.plan.settings.max_wait };
        Turn { token: None, slot: None, gives_up: now.after(max_wait).min(self.ends()), is_over: false }
    }

    /// Asks for what is still missing. A breaker's permit is never kept across a wait: what was closed when the wait began may be
    /// open now, and a probe's place is not for those who stand in line.
    #[cold]
    pub(crate) fn advance(&mut self, turn: &mut Turn<'p>, now: Instant) -> Step<'p> {
        self.started = now;
        if now >= self.ends() {
            return self.refuse(Kind::DeadlineExceeded, self.own_deadline());
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
                let wait = until.map_or(Time::NONE, |until| Time::nanos(until.since(now).max(1)));
                Err(self.refuse(Kind::CircuitOpen, wait))
            }
        }
    }

    fn ask_bucket(&mut self, turn: &mut Turn<'p>, now: Instant) -> Result<(), Step<'p>> {
        let Some(bucket) = self.plan.bucket() else { return Ok(()) };
        let nap = bucket.nap();
        let until = turn.gives_up.max(now);
        let held = turn.token.take().map(Token::carried).filter(|token| token.at > now || !token.is_stale(now));
        let in_time = |token: Token<'p>| if token.at > until { Err(token.at) } else { Ok(token) };
        let token = held
            .map_or_else(|| bucket.reserve(now, until), in_time)
            .map_err(|due| self.refuse(Kind::RateLimited, Time::nanos(due.since(now).max(1))))?;
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
            return Err(self.refuse(Kind::BulkheadFull, Time::NONE));
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
