//! One call, as the code around a body holds it.
//!
//! Most calls need a closed circuit and a token that is there, and get both: a few loads and a swap, and no engine is ever built.
//! Whatever else a call needs, and whatever else becomes of it, is the [engine](crate::engine)'s.

#![expect(clippy::inline_always, reason = "a call whose address is taken cannot stay in registers")]

use crate::breaker::{Breaker, Pass};
use crate::clock::{Instant, Tick, now};
use crate::engine::Engine;
use crate::events;
use crate::judging::{Judge, Judged};
use crate::nesting;
use crate::plan::Plan;
use crate::rejected::{Refusal, Rejected};
use crate::script::Ticket;
use crate::wishes;
use std::mem::ManuallyDrop;
use std::ops::ControlFlow;
use std::time::Duration;

/// One call, over all its attempts. What it holds itself is copied and never lent, so that it can stay in registers.
#[doc(hidden)]
#[derive(Debug)]
pub struct Call<'e, 'p> {
    plan: &'p Plan<'p>,
    way: Way,
    /// What its first attempt started with, if that needed no engine.
    pass: Pass,
    at: Tick,
    /// Whether the calls further in may have something to inherit from it.
    hands_down: bool,
    /// Of an async attempt, here because there is room.
    #[cfg(feature = "tokio")]
    pub(crate) attempt: Attempting,
    engine: &'e mut EngineSlot<'p>,
}

/// How far an async attempt has come, and what it is.
#[cfg(feature = "tokio")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempting {
    pub(crate) is_running: bool,
    pub(crate) may_be_refused: bool,
}

/// Where an engine stands once there is one. It is the call that drops it: that one knows whether there is.
#[doc(hidden)]
pub type EngineSlot<'p> = ManuallyDrop<Option<Engine<'p>>>;

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Clear,
    /// Behind the body of its first attempt, or between two polls of it.
    Run,
    /// In that body.
    Running,
    /// With an engine.
    Long,
}

/// What a healthy attempt started with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    pub(crate) pass: Pass,
    pub(crate) at: Tick,
}

impl Start {
    /// A closed circuit and a token for now, as far as the plan has them; if not both, nothing is held.
    #[inline(always)]
    fn at_once(plan: &Plan<'_>) -> Option<Self> {
        let pass = plan.gate.pass()?;
        let Some(bucket) = plan.bucket else {
            return (!wishes::is_scripted()).then_some(Self { pass, at: Tick::UNREAD });
        };
        bucket.take_at_glance().map(|at| Self { pass, at })
    }
}

#[doc(hidden)]
#[inline(always)]
#[must_use]
pub fn no_engine<'p>() -> EngineSlot<'p> {
    ManuallyDrop::new(None)
}

impl<'e, 'p> Call<'e, 'p> {
    #[inline(always)]
    #[must_use]
    pub fn new(plan: &'p Plan<'p>, engine: &'e mut EngineSlot<'p>) -> Self {
        Self {
            plan,
            way: Way::Clear,
            pass: Pass::FREE,
            at: Tick::UNREAD,
            hands_down: true,
            #[cfg(feature = "tokio")]
            attempt: Attempting { is_running: false, may_be_refused: true },
            engine,
        }
    }

    /// One that is never retried, and so has no pool to hand down.
    #[inline(always)]
    #[must_use]
    pub fn once(plan: &'p Plan<'p>, engine: &'e mut EngineSlot<'p>) -> Self {
        let mut call = Self::new(plan, engine);
        call.hands_down = false;
        call
    }

    /// What takes over wherever the short way ends.
    #[inline(always)]
    pub(crate) fn engine(&mut self) -> &mut Engine<'p> {
        build(self.engine, self.plan, std::mem::replace(&mut self.way, Way::Long), Start { pass: self.pass, at: self.at })
    }

    /// When it must end.
    pub(crate) fn ends(&mut self) -> Instant {
        let is_endless = self.plan.settings.deadline == u64::MAX && nesting::is_alone();
        if is_endless { Instant::NEVER } else { self.engine().handed_down().ends }
    }

    /// Whether the coming attempt is the last.
    #[inline(always)]
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.engine.as_ref().map_or(self.plan.settings.retries == 0, Engine::is_last)
    }

    /// Whether everything that the first attempt needs is had at once, without an engine; if so, its body is entered.
    #[inline(always)]
    pub(crate) fn starts_shortly(&mut self) -> bool {
        if self.way == Way::Clear
            && nesting::is_alone()
            && let Some(start) = Start::at_once(self.plan)
        {
            (self.pass, self.at) = (start.pass, start.at);
            self.descend();
            return true;
        }
        false
    }

    /// What an open circuit answers, for which no engine is needed either.
    #[inline(always)]
    pub(crate) fn refusal(&self) -> Option<Rejected> {
        let wait = if self.has_tried_shortly() { open_for(self.plan) } else { None };
        wait.map(|wait| refused(self.plan, wait))
    }

    /// The short way was open to it, and led nowhere.
    #[inline(always)]
    fn has_tried_shortly(&self) -> bool {
        self.way == Way::Clear && !self.plan.gate.is_shut() && nesting::is_alone()
    }

    /// Whether everything that the coming attempt needs is had at once after all, by an engine.
    #[cfg(feature = "tokio")]
    pub(crate) fn starts_late(&mut self) -> bool {
        !self.has_tried_shortly() && self.engine().starts_at_once()
    }

    /// Whether its first attempt has begun without an engine.
    #[cfg(feature = "tokio")]
    pub(crate) fn is_short(&self) -> bool {
        self.way == Way::Run
    }

    /// When an attempt without an engine times out, its start being now if nobody had to know it before.
    #[cfg(feature = "tokio")]
    pub(crate) fn times_out(&mut self, now: Instant) -> Instant {
        let started = Instant::from(self.at);
        if started == Instant::NEVER { now } else { started }.plus(self.plan.settings.timeout)
    }

    /// From here on the calls that the body makes are nested, and a panic is the body's.
    #[cfg(feature = "tokio")]
    #[inline(always)]
    pub(crate) fn enter_body(&mut self) {
        match self.way {
            Way::Run if nesting::is_alone() => self.descend(),
            Way::Clear | Way::Run | Way::Running | Way::Long => self.engine().enter_body(),
        }
    }

    #[inline(always)]
    fn descend(&mut self) {
        if self.hands_down {
            nesting::descend(self.plan.pools);
        }
        self.way = Way::Running;
    }

    /// The body has ended, if it was entered, or was polled.
    #[inline(always)]
    pub(crate) fn leave_body(&mut self, has_ended: bool) {
        if self.way == Way::Running {
            if self.hands_down {
                nesting::ascend();
            }
            self.way = Way::Run;
        } else {
            leave(self.engine, has_ended);
        }
    }

    /// The wait that stands before the coming attempt.
    #[cfg(feature = "tokio")]
    pub(crate) fn take_delay(&mut self) -> u64 {
        self.engine.as_mut().map_or(0, Engine::take_delay)
    }

    /// What comes of a call that could not start shortly: its turn, with the body entered, or what refused it.
    #[inline(always)]
    pub(crate) fn turn_late(&mut self, turn: fn(&mut Engine<'p>) -> Result<(), Rejected>) -> Result<(), Rejected> {
        let has_tried = self.has_tried_shortly();
        self.way = Way::Long;
        turn_late(self.engine, self.plan, has_tried, turn)
    }

    /// Runs the body, which its turn has entered.
    #[inline(always)]
    pub fn body<R>(&mut self, body: impl FnOnce() -> R) -> R {
        let outcome = body();
        self.leave_body(true);
        outcome
    }

    /// Takes what an attempt came to, if that is a success: what the attempt holds is accounted for. Everything else is left to the
    /// judge.
    ///
    /// It is asked first, so that a success is returned before anything takes its address: it would be copied through memory.
    #[inline(always)]
    pub fn succeeds<R, J: Judge<R>>(&mut self, judge: J, outcome: &R) -> Option<J> {
        if judge.finds_success(outcome) {
            self.succeed_and_earn();
            return None;
        }
        Some(judge)
    }

    /// The same, where nothing is retried.
    #[inline(always)]
    pub fn succeeds_once<R, J: Judge<R>>(&mut self, judge: J, outcome: &R) -> Option<J> {
        if judge.finds_success(outcome) {
            self.succeed();
            return None;
        }
        Some(judge)
    }

    /// Takes what an attempt came to: it is judged, what the attempt holds is accounted for, and a retry decided. It is given back at
    /// the end of the call.
    #[inline(always)]
    pub fn settle<R, J: Judge<R>>(&mut self, judge: J, outcome: R) -> Option<R> {
        let start = Start { pass: self.pass, at: self.at };
        settle(self.engine, self.plan, std::mem::replace(&mut self.way, Way::Long), start, judge, outcome)
    }

    /// The same, and whether it was a success; what comes before another attempt is given back too.
    #[inline(always)]
    pub fn settle_knowing<R, J: Judge<R>>(&mut self, judge: J, outcome: R) -> ControlFlow<(R, bool), R> {
        let start = Start { pass: self.pass, at: self.at };
        settle_knowing(self.engine, self.plan, std::mem::replace(&mut self.way, Way::Long), start, judge, outcome)
    }

    /// The same, where nothing is retried.
    #[inline(always)]
    pub fn settle_once<R, J: Judge<R>>(&mut self, judge: J, outcome: R) -> R {
        self.settle_once_knowing(judge, outcome).0
    }

    /// The same, and whether it was a success.
    #[inline(always)]
    pub fn settle_once_knowing<R, J: Judge<R>>(&mut self, judge: J, outcome: R) -> (R, bool) {
        let start = Start { pass: self.pass, at: self.at };
        settle_once(self.engine, self.plan, std::mem::replace(&mut self.way, Way::Long), start, judge, outcome)
    }

    /// A timed-out attempt whose error type nobody asks about.
    #[inline(always)]
    pub fn settle_timed_out(&mut self) -> bool {
        self.settle_judged(Judged::timed_out())
    }

    /// Whether the call is over.
    #[inline(always)]
    pub(crate) fn settle_judged(&mut self, judged: Judged<'_>) -> bool {
        if judged.is_success() && !judged.again {
            self.succeed_and_earn();
            return true;
        }
        self.engine().settle(judged)
    }

    #[inline(always)]
    fn succeed_and_earn(&mut self) {
        match self.way {
            Way::Clear | Way::Running | Way::Long => self.engine().succeed_and_earn(),
            Way::Run => {
                self.hear();
                if !self.plan.budget.is_full() {
                    earn(self.plan);
                }
            }
        }
    }

    #[inline(always)]
    fn succeed(&mut self) {
        match self.way {
            Way::Clear | Way::Running | Way::Long => self.engine().succeed(),
            Way::Run => self.hear(),
        }
    }

    #[inline(always)]
    fn hear(&self) {
        if self.plan.gate.listens() {
            hear(self.plan, Start { pass: self.pass, at: self.at });
        }
    }

    /// The outcome that stands in the body's place, if that is why it did not run.
    #[doc(hidden)]
    #[inline(always)]
    pub fn script<R>(&mut self, play: impl FnOnce(&Ticket) -> R) -> Option<R> {
        script(self.engine(), play)
    }
}

impl Drop for Call<'_, '_> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.way >= Way::Running {
            end(self.engine, self.plan, self.pass);
        }
    }
}

/// In its body only a panic ends a call.
#[cold]
#[inline(never)]
fn end<'p>(engine: &mut EngineSlot<'p>, plan: &'p Plan<'p>, pass: Pass) {
    if engine.is_none() {
        nesting::ascend();
        build(engine, plan, Way::Run, Start { pass, at: Tick::UNREAD }).body_panicked();
    }
    **engine = None;
}

#[cold]
#[inline(never)]
fn leave(engine: &mut EngineSlot<'_>, has_ended: bool) {
    if let Some(engine) = &mut **engine {
        engine.leave_body();
        if has_ended {
            engine.body_ended();
        }
    }
}

#[cold]
#[inline(never)]
fn turn_late<'p>(
    slot: &mut EngineSlot<'p>,
    plan: &'p Plan<'p>,
    has_tried: bool,
    turn: fn(&mut Engine<'p>) -> Result<(), Rejected>,
) -> Result<(), Rejected> {
    let engine = slot.get_or_insert_with(|| Engine::begin(plan));
    engine.wait_out_delay();
    if has_tried || !engine.starts_at_once() {
        turn(engine)?;
    }
    engine.enter_body();
    Ok(())
}

#[cold]
#[inline(never)]
fn script<R>(engine: &mut Engine<'_>, play: impl FnOnce(&Ticket) -> R) -> Option<R> {
    let outcome = Ticket::take_up().map(|ticket| play(&ticket));
    if outcome.is_some() {
        engine.body_ended();
    }
    outcome
}

#[cold]
#[inline(never)]
fn settle<'p, R, J: Judge<R>>(
    engine: &mut EngineSlot<'p>,
    plan: &'p Plan<'p>,
    way: Way,
    start: Start,
    judge: J,
    outcome: R,
) -> Option<R> {
    match settle_knowing(engine, plan, way, start, judge, outcome) {
        ControlFlow::Break((outcome, _)) => Some(outcome),
        ControlFlow::Continue(_) => None,
    }
}

#[cold]
#[inline(never)]
fn settle_knowing<'p, R, J: Judge<R>>(
    engine: &mut EngineSlot<'p>,
    plan: &'p Plan<'p>,
    way: Way,
    start: Start,
    judge: J,
    outcome: R,
) -> ControlFlow<(R, bool), R> {
    let engine = build(engine, plan, way, start);
    let judged = judge.judge(&outcome);
    let is_success = judged.is_success();
    let is_over = if is_success && !judged.again {
        engine.succeed_and_earn();
        true
    } else {
        engine.settle(judged)
    };
    if is_over { ControlFlow::Break((outcome, is_success)) } else { ControlFlow::Continue(outcome) }
}

#[cold]
#[inline(never)]
fn settle_once<'p, R, J: Judge<R>>(
    engine: &mut EngineSlot<'p>,
    plan: &'p Plan<'p>,
    way: Way,
    start: Start,
    judge: J,
    outcome: R,
) -> (R, bool) {
    let engine = build(engine, plan, way, start);
    let judged = judge.judge(&outcome);
    let is_success = judged.is_success();
    if is_success {
        engine.succeed();
    } else {
        engine.settle_once(judged);
    }
    (outcome, is_success)
}

#[cold]
#[inline(never)]
fn build<'e, 'p>(engine: &'e mut EngineSlot<'p>, plan: &'p Plan<'p>, way: Way, start: Start) -> &'e mut Engine<'p> {
    engine.get_or_insert_with(|| match way {
        Way::Running | Way::Run => Engine::take_over(plan, start),
        Way::Clear | Way::Long => Engine::begin(plan),
    })
}

/// How much longer a call is refused by an open circuit. What is told of it is told here, so that the refusal itself can be made where
/// it is returned.
#[cold]
#[inline(never)]
fn open_for(plan: &Plan<'_>) -> Option<Duration> {
    let breaker = plan.breaker.filter(|_| !wishes::is_scripted())?;
    let now = now();
    let wait = Duration::from_nanos(breaker.refuses_for(now)?);
    if events::tells_of_refusals() {
        events::rejected(plan, &refused(plan, wait), now);
    }
    Some(wait)
}

#[inline(always)]
fn refused(plan: &Plan<'_>, wait: Duration) -> Rejected {
    let resource = plan.breaker.map(Breaker::name);
    Rejected::CircuitOpen(Refusal { function: plan.function, resource, attempts: 0, time: Some(wait) })
}

#[cold]
fn hear(plan: &Plan<'_>, Start { pass, at }: Start) {
    if let Some(breaker) = plan.breaker {
        breaker.hear(pass, at.into());
    }
}

#[cold]
fn earn(plan: &Plan<'_>) {
    plan.budget.earn(now());
}

/// Whether nothing can follow the attempt that ended so: only a timeout may be retried.
#[doc(hidden)]
#[must_use]
pub fn is_final(rejected: &Rejected) -> bool {
    !matches!(rejected, Rejected::Timeout(_))
}
