//! All that can be seen of the library is what the model says.

use super::{Failed, Play, Polled, differs, same};
use crate::breaker::State;
use crate::call::{Drawn, End, Kind, Stop, Summary};
use crate::event::{Event, Heard, Named};
use crate::flaw::Flaw;
use crate::stage::{Clock, FUNCTION, nanos, rate};
use crate::{Told, annotated, hearing, sentence};
use resilient::Rejected;
use std::sync::atomic::Ordering;

/// Tokio's timers are exact to a millisecond.
const PATIENCE: u64 = 2_000_000;

impl Play {
    /// Lets the model do the same, and compares the end.
    pub(super) fn agree(&mut self, who: usize, polled: &Polled) -> Result<(), Stop> {
        if let Clock::Turned(clock) = &*self.clock {
            let waits = clock.waits();
            self.world.waits.extend(waits[self.waits_seen..].iter().copied().map(nanos));
            self.waits_seen = waits.len();
        }
        self.world.drawn = hearing::with_heard(|heard| heard.iter().filter_map(drawn).collect());
        let end = self.world.poll(who)?;
        if let Some(wait) = self.world.waits.pop_front() {
            return differs(format!("call {who} waited {wait} ns more than the model, which came to {end:?}"));
        }
        self.played.ends += usize::from(end.is_some());
        match (polled, end) {
            (Polled::Pending, None) | (Polled::Panicked, Some(End::Panic)) | (Polled::Ready(Ok(())), Some(End::Success)) => Ok(()),
            (Polled::Ready(Err(Failed::Service(outcome))), Some(End::Error(expected))) => {
                same("the last error", outcome, &expected)
            }
            (Polled::Ready(Err(Failed::Rejected(rejected))), Some(End::Refused(kind, told, attempts))) => {
                self.agree_on_refusal(who, rejected, kind, told, attempts)
            }
            (polled, end) => differs(format!("call {who}: the library came to {}, the model to {end:?}", describe(polled))),
        }
    }

    fn agree_on_refusal(&mut self, who: usize, rejected: &Rejected, kind: Kind, told: Told, attempts: u32) -> Result<(), Stop> {
        same("what refuses", &kind_of(rejected), &Some(kind))?;
        same("attempts", &rejected.attempts(), &attempts)?;
        let named = self.named();
        same("whom it refuses", &rejected.function(), &named.function)?;
        let resource = named.resource(kind).filter(|_| kind != Kind::BulkheadFull || !self.has(Flaw::BulkheadsHaveNoName));
        same("what it names", &rejected.resource(), &resource)?;
        let after = rejected.retry_after().map(nanos);
        if !told.allows(after) {
            return differs(format!("{kind:?} tells to come back after {after:?} ns, the model {told:?}"));
        }
        let function = self.world.function_of(who);
        let sentence = sentence::of(kind, named.function, resource, attempts, after, &function, self.has(Flaw::SentenceRoundsDown));
        same("how it is put", &rejected.to_string(), &sentence)?;
        if let (Kind::CircuitOpen, Some(breaker), Some(after)) = (kind, &mut self.world.breaker, after) {
            breaker.learn_end(self.world.now + after);
        }
        Ok(())
    }

    /// Everything that can be seen.
    pub(super) fn compare(&mut self) -> Result<(), Stop> {
        let now = self.stage.now(&self.clock);
        same("the clock", &now, &self.world.now)?;
        self.compare_events()?;
        self.compare_breaker()?;
        if let Some(bucket) = &self.world.bucket {
            let ours = resilient::bucket(&self.stage.names.bucket);
            same("the rate", &ours.rate(), &rate(bucket.rate.interval, bucket.rate.burst))?;
        }
        if let Some(bulkhead) = &self.world.bulkhead {
            let ours = resilient::bulkhead(&self.stage.names.bulkhead);
            same("in flight", &ours.in_flight(), &bulkhead.in_flight())?;
            same("in line", &ours.waiting(), &bulkhead.waiting())?;
            same("the limit", &ours.limit(), &bulkhead.limit())?;
        }
        for (who, call) in self.calls.iter().enumerate() {
            same(&format!("starts of call {who}"), &call.bodies.borrow().starts.as_slice(), &self.world.starts(who))?;
            if self.world.must_be_awake(who, PATIENCE) && !call.alarm.0.load(Ordering::Relaxed) {
                return differs(format!("call {who} was not woken for what it waits for"));
            }
        }
        Ok(())
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.world.flaw == Some(flaw)
    }

    fn named(&self) -> Named<'_> {
        let names = &self.stage.names;
        let breaker = self.setting.breaker.map(|_| names.breaker.as_str());
        let function = if self.setting.is_annotated { annotated::name(self.setting.waits_turn_the_clock) } else { FUNCTION };
        Named { function, breaker, bucket: &names.bucket, bulkhead: &names.bulkhead }
    }

    fn compare_events(&mut self) -> Result<(), Stop> {
        let (told, mut heard) = (self.world.take_told(), hearing::take().into_iter().peekable());
        for event in told {
            if event.may_be_missing() && heard.peek().is_none_or(|heard| heard.name != event.name()) {
                continue;
            }
            let heard = heard.next();
            if !heard.as_ref().is_some_and(|heard| event.is_heard(heard, self.named())) {
                return differs(format!("the library tells {heard:?}, the model {event:?}"));
            }
            if matches!(event, Event::Rejected { count: None, .. }) {
                self.world.refusals = Some(Summary::told(self.world.now));
            }
        }
        heard.next().map_or(Ok(()), |heard| differs(format!("the library tells {heard:?}, the model nothing")))
    }

    fn compare_breaker(&mut self) -> Result<(), Stop> {
        let (now, ours) = (self.world.now, resilient::breaker(&self.stage.names.breaker));
        let Some(breaker) = &mut self.world.breaker else { return Ok(()) };
        breaker.learn_state(now, ours.state() == resilient::State::Open);
        let state = match ours.state() {
            resilient::State::Closed => State::Closed,
            resilient::State::Open => State::Open,
            resilient::State::HalfOpen => State::HalfOpen,
            resilient::State::ForcedOpen => State::ForcedOpen,
            resilient::State::Disabled => State::Disabled,
            other => return differs(format!("a state that nobody knows: {other:?}")),
        };
        same("the state", &state, &breaker.state(now)?)?;
        same("shadow", &ours.is_shadow(), &breaker.is_shadow())?;
        same("failures in a row", &ours.failures(), &breaker.failures())?;
        let counts = ours.counts();
        same("the window", &(counts.calls, counts.failures, counts.slow_calls), &breaker.counts(now))
    }
}

fn kind_of(rejected: &Rejected) -> Option<Kind> {
    match rejected {
        Rejected::CircuitOpen(_) => Some(Kind::CircuitOpen),
        Rejected::RateLimited(_) => Some(Kind::RateLimited),
        Rejected::BulkheadFull(_) => Some(Kind::BulkheadFull),
        Rejected::Timeout(_) => Some(Kind::Timeout),
        Rejected::DeadlineExceeded(_) => Some(Kind::DeadlineExceeded),
        _ => None,
    }
}

fn describe(polled: &Polled) -> String {
    match polled {
        Polled::Pending => "no end".to_owned(),
        Polled::Ready(outcome) => format!("{outcome:?}"),
        Polled::Panicked => "a panic".to_owned(),
    }
}

/// What the library drew for a retry, if that is what it told.
fn drawn(heard: &Heard) -> Option<Drawn> {
    match heard.name {
        "retry" => heard.fields.get("delay_ms")?.parse().ok().map(Drawn::Wait),
        "exhausted" if heard.fields.get("reason")?.contains("deadline") => Some(Drawn::TooLong),
        "exhausted" => Some(Drawn::Nothing),
        _ => None,
    }
}
