//! A whole call: what it asks for, in which order, and what it does with an outcome.

mod admission;
mod delay;
mod summary;

pub use delay::Drawn;
pub(crate) use summary::Summary;

use crate::breaker::{self, Breaker, Permit};
use crate::bucket::{Bucket, Token};
use crate::budget::Budget;
use crate::bulkhead::Bulkhead;
use crate::event::Event;
use crate::flaw::Flaw;
use crate::function::{Function, NEVER, Outcome};
use crate::{Told, Undecided};
use std::collections::VecDeque;

/// What refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The breaker.
    CircuitOpen,
    /// The bucket.
    RateLimited,
    /// The bulkhead.
    BulkheadFull,
    /// An attempt's time.
    Timeout,
    /// The call's time.
    DeadlineExceeded,
}

/// What a caller gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The value.
    Success,
    /// The last error.
    Error(Outcome),
    /// A refusal, what it says of when to come back, and of attempts.
    Refused(Kind, Told, u32),
    /// The body's panic.
    Panic,
}

/// Why a history cannot be followed further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Chance has decided, and nothing has told how.
    Undecided,
    /// It went another way.
    Differs(String),
}

impl From<Undecided> for Stop {
    fn from(_: Undecided) -> Self {
        Self::Undecided
    }
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    New,
    /// Between two attempts.
    Resting {
        earliest: u64,
        latest: u64,
    },
    /// Its turn begins.
    Turning,
    Napping {
        until: u64,
        number: usize,
    },
    Queueing {
        until: u64,
        stands: bool,
    },
    InBody {
        started: u64,
    },
    Ended,
}

#[derive(Clone, Debug)]
struct Call {
    stage: Stage,
    ends: u64,
    gives_up: u64,
    attempts: u32,
    token: Option<Token>,
    has_place: bool,
    permit: Option<Permit>,
    /// Only where a rule is wrong: what the breaker said before a wait.
    early_permit: Option<Permit>,
    /// What its bodies come to, and how long each takes.
    outcomes: VecDeque<(Outcome, u64)>,
    is_sync: bool,
    /// When its bodies began.
    starts: Vec<u64>,
    /// The longest that its last wait may have been.
    previous_delay: u64,
    /// Its settings.
    function: Function,
}

/// Everything that calls of one function share, and the calls.
#[derive(Clone, Debug)]
pub struct World {
    /// What the clock shows.
    pub now: u64,
    /// Whether a wait turns the clock and is over.
    pub waits_turn_the_clock: bool,
    /// The function.
    pub function: Function,
    /// Its breaker.
    pub breaker: Option<Breaker>,
    /// Its bucket.
    pub bucket: Option<Bucket>,
    /// Its bulkhead.
    pub bulkhead: Option<Bulkhead>,
    /// Its budget.
    pub budget: Option<Budget>,
    /// The wrong rule, if one is wrong.
    pub flaw: Option<Flaw>,
    /// The waits that the library has made, and the model not yet.
    pub waits: VecDeque<u64>,
    /// What the library has drawn for retries, and the model not yet.
    pub drawn: VecDeque<Drawn>,
    calls: Vec<Call>,
    told: Vec<Event>,
    /// Not known of a function of which more was told than was followed.
    pub(crate) refusals: Option<Summary>,
    excused: Summary,
    has_told_blocking: bool,
}

/// What an attempt needs before its body runs.
enum Step {
    Run,
    Sleep,
    Queue,
    Refuse(Kind, Told),
}

/// What a body has come to.
enum Ran {
    On,
    Again,
    Over(End),
}

impl World {
    /// Nobody calls.
    #[must_use]
    pub fn new(now: u64, waits_turn_the_clock: bool, function: Function, flaw: Option<Flaw>) -> Self {
        Self {
            now,
            waits_turn_the_clock,
            function,
            breaker: None,
            bucket: None,
            bulkhead: None,
            budget: None,
            flaw,
            waits: VecDeque::new(),
            drawn: VecDeque::new(),
            calls: Vec::new(),
            told: Vec::new(),
            refusals: Some(Summary::NOTHING),
            excused: Summary::NOTHING,
            has_told_blocking: false,
        }
    }

    /// What was told since it was last asked.
    pub fn take_told(&mut self) -> Vec<Event> {
        self.hear_breaker();
        std::mem::take(&mut self.told)
    }

    fn hear_breaker(&mut self) {
        let told = self.breaker.as_mut().map(Breaker::take_told).unwrap_or_default();
        self.told.extend(told);
    }

    /// After all that the breaker has told.
    fn tell(&mut self, event: Event) {
        self.hear_breaker();
        self.told.push(event);
    }

    fn tell_refusal(&mut self, kind: Kind, told: Told, attempts: u32) {
        let is_always_told = self.has(Flaw::EveryRefusalIsTold);
        let now = self.now;
        let count = match &mut self.refusals {
            _ if is_always_told => Some(Some(1)),
            Some(refusals) => refusals.count(now).map(Some),
            None => Some(None),
        };
        if let Some(count) = count {
            let has_name = kind != Kind::BulkheadFull || !self.has(Flaw::BulkheadsHaveNoName);
            self.tell(Event::Rejected { kind, has_name, told, attempts, count });
        }
    }

    /// Of the first wait of a sync function, as all this is inside a runtime.
    fn tell_blocking(&mut self, who: usize) {
        if self.calls[who].is_sync && !std::mem::replace(&mut self.has_told_blocking, true) {
            self.tell(Event::BlockingWait);
        }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    /// A call whose first attempts come to that, and take so long; its number.
    pub fn call(&mut self, outcomes: &[(Outcome, u64)], is_sync: bool) -> usize {
        self.calls.push(Call {
            stage: Stage::New,
            ends: NEVER,
            gives_up: NEVER,
            attempts: 0,
            token: None,
            has_place: false,
            permit: None,
            early_permit: None,
            outcomes: outcomes.iter().copied().collect(),
            is_sync,
            starts: Vec::new(),
            previous_delay: 0,
            function: self.function,
        });
        self.calls.len() - 1
    }

    /// What the body that it is in, or the next one, comes to.
    pub fn tell_outcome(&mut self, who: usize, outcome: Outcome) {
        self.calls[who].outcomes.push_back((outcome, 0));
    }

    /// Whether its body runs.
    #[must_use]
    pub fn is_in_body(&self, who: usize) -> bool {
        matches!(self.calls[who].stage, Stage::InBody { .. })
    }

    /// Whether it is over.
    #[must_use]
    pub fn has_ended(&self, who: usize) -> bool {
        matches!(self.calls[who].stage, Stage::Ended)
    }

    /// Those that are not over.
    #[must_use]
    pub fn open_calls(&self) -> Vec<usize> {
        (0..self.calls.len()).filter(|&who| !self.has_ended(who)).collect()
    }

    /// When its bodies began.
    #[must_use]
    pub fn starts(&self, who: usize) -> &[u64] {
        &self.calls[who].starts
    }

    /// Whether it waits for something that is there, so that somebody must have woken it; time is looked at with that much patience.
    #[must_use]
    pub fn must_be_awake(&self, who: usize, patience: u64) -> bool {
        let is_over = |until: u64| !self.waits_turn_the_clock && until.saturating_add(patience) <= self.now;
        match self.calls[who].stage {
            Stage::Napping { until, number } => {
                is_over(until) || self.bucket.as_ref().is_some_and(|bucket| bucket.number() != number)
            }
            Stage::Queueing { until, .. } => {
                is_over(until) || self.bulkhead.as_ref().is_some_and(|bulkhead| bulkhead.is_granted(who))
            }
            Stage::Resting { latest, .. } => is_over(latest),
            Stage::InBody { started } => is_over(self.body_ends(who, started)),
            Stage::New | Stage::Turning | Stage::Ended => false,
        }
    }

    /// Moments at which something changes, later than now and in order.
    #[must_use]
    pub fn moments(&self) -> Vec<u64> {
        let mut moments = self.breaker.as_ref().map(Breaker::moments).unwrap_or_default();
        moments.extend(self.bucket.iter().flat_map(|bucket| bucket.moments(self.now)));
        for (who, call) in self.calls.iter().enumerate() {
            moments.extend(match call.stage {
                Stage::Resting { earliest, latest } => [earliest, latest],
                Stage::Napping { until, .. } | Stage::Queueing { until, .. } => [until, call.ends],
                Stage::InBody { started } => [self.body_ends(who, started), call.ends],
                Stage::New | Stage::Turning | Stage::Ended => [0, 0],
            });
        }
        moments.retain(|&moment| moment > self.now && moment != NEVER);
        moments.sort_unstable();
        moments.dedup();
        moments
    }

    /// As it was when the call began.
    pub(crate) fn function_of(&self, who: usize) -> Function {
        if self.has(Flaw::ReloadReachesRunningCalls) { self.function } else { self.calls[who].function }
    }

    fn body_ends(&self, who: usize, started: u64) -> u64 {
        started.saturating_add(self.function_of(who).timeout).min(self.calls[who].ends)
    }

    /// Polls a call until it is over or must wait.
    ///
    /// # Errors
    ///
    /// The library went another way, or one that chance decided.
    pub fn poll(&mut self, who: usize) -> Result<Option<End>, Stop> {
        loop {
            match self.calls[who].stage {
                Stage::New => {
                    self.calls[who].function = self.function;
                    self.calls[who].ends = self.now.saturating_add(self.function_of(who).deadline);
                    self.calls[who].stage = Stage::Turning;
                }
                Stage::Resting { earliest, latest } => {
                    self.tell_blocking(who);
                    if !self.passes(earliest, latest)? {
                        return Ok(None);
                    }
                    self.calls[who].stage = Stage::Turning;
                }
                Stage::Turning => {
                    if self.starts_at_once(who) {
                        self.start(who);
                        continue;
                    }
                    self.calls[who].gives_up = self.now.saturating_add(self.function_of(who).max_wait).min(self.calls[who].ends);
                    if let Some(end) = self.advance(who)? {
                        return Ok(Some(end));
                    }
                }
                Stage::Napping { until, number } => {
                    let is_disturbed = self.bucket.as_ref().is_some_and(|bucket| bucket.number() != number);
                    if !is_disturbed && !self.passes(until, until)? {
                        return Ok(None);
                    }
                    if let Some(end) = self.advance(who)? {
                        return Ok(Some(end));
                    }
                }
                Stage::Queueing { until, stands } => {
                    if !self.has_queued(who, until, stands)? {
                        return Ok(None);
                    }
                    if let Some(end) = self.advance(who)? {
                        return Ok(Some(end));
                    }
                }
                Stage::InBody { started } => match self.run_body(who, started)? {
                    Ran::Over(end) => return Ok(Some(end)),
                    Ran::On => return Ok(None),
                    Ran::Again => {}
                },
                Stage::Ended => return Err(Stop::Differs("a call is polled that is over".to_owned())),
            }
        }
    }

    /// Waits for a moment that is drawn from a range; whether it is over.
    fn passes(&mut self, earliest: u64, latest: u64) -> Result<bool, Stop> {
        if latest <= self.now {
            return Ok(true);
        }
        if !self.waits_turn_the_clock {
            return if self.now < earliest { Ok(false) } else { Err(Stop::Undecided) };
        }
        let (shortest, longest) = (earliest.saturating_sub(self.now), latest - self.now);
        match self.waits.pop_front() {
            Some(wait) if (shortest..=longest).contains(&wait) => {
                self.now += wait;
                Ok(true)
            }
            wait => Err(Stop::Differs(format!("waited {wait:?} ns, not {shortest} to {longest}"))),
        }
    }

    /// Stands in line; whether that is over, with a place or without.
    fn has_queued(&mut self, who: usize, until: u64, stands: bool) -> Result<bool, Stop> {
        let Some(bulkhead) = &mut self.bulkhead else { return Ok(true) };
        if !stands {
            self.calls[who].stage = Stage::Queueing { until, stands: true };
            if bulkhead.enter() {
                self.calls[who].has_place = true;
                return Ok(true);
            }
            bulkhead.stand_in_line(who);
        }
        if bulkhead.take_granted(who) {
            self.calls[who].has_place = true;
            return Ok(true);
        }
        if until == NEVER || !self.passes(until, until)? {
            return Ok(false);
        }
        if let Some(bulkhead) = &mut self.bulkhead {
            bulkhead.leave(who);
        }
        Ok(true)
    }

    /// The short way: a closed circuit, a token and a place, all of them there.
    fn starts_at_once(&mut self, who: usize) -> bool {
        let is_later = self.calls[who].attempts > 0;
        if self.breaker.as_ref().is_some_and(|breaker| !breaker.is_plainly_closed()) || is_later && self.now >= self.calls[who].ends
        {
            return false;
        }
        let now = self.now;
        let taken = self.bucket.as_mut().map(|bucket| bucket.take(1, now));
        if let Some(Err(_)) = taken {
            return false;
        }
        if let Some(bulkhead) = &mut self.bulkhead {
            if !bulkhead.enter() {
                self.untake(taken.is_some());
                return false;
            }
            self.calls[who].has_place = true;
        }
        self.calls[who].permit = self.breaker.as_mut().and_then(|breaker| breaker.ask(now, 0).ok()?.ok());
        true
    }

    /// Gives back the token that was taken last.
    fn untake(&mut self, has_token: bool) {
        if let Some(bucket) = self.bucket.as_mut().filter(|_| has_token) {
            bucket.untake();
        }
    }

    fn start(&mut self, who: usize) {
        let call = &mut self.calls[who];
        call.attempts += 1;
        call.starts.push(self.now);
        call.stage = Stage::InBody { started: self.now };
    }

    /// Asks for everything, in order; the end, if there is one.
    fn advance(&mut self, who: usize) -> Result<Option<End>, Stop> {
        match self.ask(who)? {
            Step::Run => self.start(who),
            Step::Sleep => {
                self.tell_blocking(who);
                let call = &self.calls[who];
                let (until, number) = (call.token.map_or(0, |token| token.at), self.bucket.as_ref().map_or(0, Bucket::number));
                self.calls[who].stage = Stage::Napping { until, number };
            }
            Step::Queue => {
                self.tell_blocking(who);
                self.calls[who].stage = Stage::Queueing { until: self.calls[who].gives_up, stands: false };
            }
            Step::Refuse(kind, told) => {
                self.give_everything_back(who);
                self.tell_refusal(kind, told, self.calls[who].attempts);
                return Ok(Some(self.end(who, End::Refused(kind, told, self.calls[who].attempts))));
            }
        }
        Ok(None)
    }

    fn end(&mut self, who: usize, end: End) -> End {
        self.calls[who].stage = Stage::Ended;
        end
    }

    /// A call that nobody wants any more.
    pub fn cancel(&mut self, who: usize) {
        if let Some(bulkhead) =
            self.bulkhead.as_mut().filter(|_| matches!(self.calls[who].stage, Stage::Queueing { stands: true, .. }))
        {
            bulkhead.leave(who);
        }
        self.give_everything_back(who);
        self.calls[who].stage = Stage::Ended;
    }

    fn run_body(&mut self, who: usize, started: u64) -> Result<Ran, Stop> {
        let end = if let Some((outcome, takes)) = self.calls[who].outcomes.pop_front() {
            self.now += takes;
            self.finish(who, outcome, started)?
        } else if self.calls[who].is_sync {
            self.finish(who, Outcome::Success, started)?
        } else if self.now >= self.body_ends(who, started) {
            self.stop(who, started)?
        } else {
            return Ok(Ran::On);
        };
        Ok(end.map_or(Ran::Again, Ran::Over))
    }

    fn settle_permit(&mut self, who: usize, result: breaker::Result, started: u64) {
        if let (Some(breaker), Some(permit)) = (&mut self.breaker, self.calls[who].permit.take()) {
            breaker.settle(permit, result, started, self.now);
        }
    }

    /// Whether the attempt had what its function says: its timeout, or without one half of the deadline.
    fn had_its_time(&self, who: usize, started: u64) -> bool {
        let Function { timeout, deadline, .. } = self.function_of(who);
        let enough = if timeout == NEVER { deadline / 2 } else { timeout };
        self.now.saturating_sub(started) >= enough
    }

    /// The body's time is over.
    fn stop(&mut self, who: usize, started: u64) -> Result<Option<End>, Stop> {
        let is_timeout = started.saturating_add(self.function_of(who).timeout) <= self.calls[who].ends;
        let is_failure = if is_timeout {
            !self.has(Flaw::TimeoutIsNoFailure)
        } else {
            self.had_its_time(who, started) || self.has(Flaw::DeadlineIsAlwaysFailure)
        };
        self.settle_permit(who, if is_failure { breaker::Result::Failure } else { breaker::Result::Neutral }, started);
        self.give_place_back(who);
        let attempts = self.calls[who].attempts;
        if !is_timeout {
            self.tell_refusal(Kind::DeadlineExceeded, Told::Nothing, attempts);
            return Ok(Some(self.end(who, End::Refused(Kind::DeadlineExceeded, Told::Nothing, attempts))));
        }
        if self.function_of(who).retries == 0 || self.has(Flaw::EveryTimeoutIsARefusal) {
            self.tell_refusal(Kind::Timeout, Told::Nothing, attempts);
        }
        let timed_out = End::Refused(Kind::Timeout, Told::Nothing, attempts);
        self.again(who, 0, "transient", timed_out)
    }

    /// The body has ended.
    fn finish(&mut self, who: usize, outcome: Outcome, started: u64) -> Result<Option<End>, Stop> {
        if outcome != Outcome::Panic || !self.has(Flaw::PanicKeepsThePlace) {
            self.give_place_back(who);
        }
        let longest = self.function_of(who).max_retry_after;
        let is_over = self.function_of(who).deadline != NEVER && self.now >= self.calls[who].ends;
        let result = match outcome {
            Outcome::Permanent if self.has(Flaw::PermanentIsFailure) => breaker::Result::Failure,
            Outcome::Success | Outcome::Permanent => breaker::Result::Success,
            Outcome::Transient(_) | Outcome::Panic => breaker::Result::Failure,
            Outcome::Throttled(hint) if hint > 0 => breaker::Result::Throttled(self.now.saturating_add(hint.min(longest))),
            // The calls further in gave up on this call's own deadline.
            Outcome::Ignored if is_over && self.had_its_time(who, started) => breaker::Result::Failure,
            Outcome::Throttled(_) | Outcome::Ignored => breaker::Result::Neutral,
        };
        self.settle_permit(who, result, started);
        match outcome {
            Outcome::Success => {
                if let Some(budget) = &mut self.budget {
                    budget.earn(self.now);
                }
                Ok(Some(self.end(who, End::Success)))
            }
            Outcome::Panic => Ok(Some(self.end(who, End::Panic))),
            Outcome::Permanent | Outcome::Ignored => Ok(Some(self.end(who, End::Error(outcome)))),
            Outcome::Transient(hint) | Outcome::Throttled(hint) => {
                if let Some(bucket) = self.bucket.as_mut().filter(|_| hint > 0) {
                    bucket.pause(self.now, hint.min(longest));
                }
                let verdict = if matches!(outcome, Outcome::Throttled(_)) { "throttled" } else { "transient" };
                self.again(who, hint, verdict, End::Error(outcome))
            }
        }
    }

    /// Another attempt after a wait, or the end.
    fn again(&mut self, who: usize, hint: u64, verdict: &'static str, end: End) -> Result<Option<End>, Stop> {
        let attempts = self.calls[who].attempts;
        match self.next_delay(who, hint)? {
            Err(reason) => {
                let reason = if self.has(Flaw::OneReasonForAll) { "no retries left" } else { reason };
                if self.function_of(who).retries > 0 || self.has(Flaw::NoRetriesAreNoneLeft) {
                    self.tell(Event::Exhausted { attempts, reason, verdict });
                }
                Ok(Some(self.end(who, end)))
            }
            Ok(((shortest, longest), told)) => {
                let attempt = attempts + u32::from(self.has(Flaw::RetryIsToldAsTheNext));
                self.tell(Event::Retry { attempt, delay: told, verdict });
                let now = self.now;
                self.calls[who].previous_delay = longest;
                self.calls[who].stage =
                    Stage::Resting { earliest: now.saturating_add(shortest), latest: now.saturating_add(longest) };
                Ok(None)
            }
        }
    }
}
