//! One call, as the code around a body holds it.
//!
//! Most calls need a closed circuit and a token that is there, and get both: a few loads and a swap, and no engine is ever built.
//! Whatever else a call needs, and whatever else becomes of it, is the [engine](crate::engine)'s.

#![expect(clippy::inline_always, reason = "a call whose address is taken cannot stay in registers")]

mod rare;
mod slot;

use crate::breaker::Pass;
use crate::clock::{Instant, Tick};
use crate::engine::Engine;
use crate::judging::{Judge, Judged};
use crate::nesting;
use crate::plan::Plan;
use crate::refused::Refused;
use crate::rejected::Rejected;
use crate::script::Ticket;
#[cfg(feature = "tokio")]
use crate::seat::Seat;
use crate::wishes;
use rare::{Settling, Turn};
#[cfg(feature = "tokio")]
use slot::Held;
pub use slot::{EngineSlot, no_engine};
use std::ops::ControlFlow;

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

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Clear,
    /// Behind the body of its first attempt, or between two polls of it.
    Run,
    /// In that body.
    Running,
    /// With a seat or an engine.
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
        rare::build(self.engine, self.plan, std::mem::replace(&mut self.way, Way::Long), Start { pass: self.pass, at: self.at })
    }

    /// Until when to wait before the coming attempt.
    #[cfg(feature = "tokio")]
    pub(crate) fn rest(&mut self) -> Option<Instant> {
        self.engine.engine_mut().and_then(Engine::rest)
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
        self.engine.engine().map_or(self.plan.settings.retries == 0, Engine::is_last)
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

    /// What refuses it where the short way led nowhere, if no engine is needed to know.
    #[cfg(feature = "tokio")]
    pub(crate) fn refusal(&self) -> Option<Refused> {
        if self.way == Way::Clear { rare::refusal(self.plan) } else { None }
    }

    #[cfg(feature = "tokio")]
    fn has_tried_shortly(&self) -> bool {
        self.way == Way::Clear && rare::has_tried_shortly(self.plan)
    }

    /// What its caller is told.
    #[inline(always)]
    #[must_use]
    pub fn told(&self, refused: Refused) -> Rejected {
        refused.told(self.plan, self.engine.engine().map_or(0, Engine::attempts))
    }

    /// Whether everything that the coming attempt needs is had at once after all, in a seat or by an engine.
    #[cfg(feature = "tokio")]
    pub(crate) fn starts_late(&mut self) -> bool {
        if self.has_tried_shortly() {
            return false;
        }
        if self.way == Way::Clear
            && let Some(seat) = Seat::take(self.plan)
        {
            self.way = Way::Long;
            self.engine.hold(Held::Seat(seat));
            return true;
        }
        self.engine().starts_at_once()
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
            Way::Clear | Way::Run | Way::Running | Way::Long => self.enter_late(),
        }
    }

    #[cfg(feature = "tokio")]
    #[cold]
    fn enter_late(&mut self) {
        match self.engine.held() {
            Held::Seat(seat) => seat.enter_body(),
            Held::Nothing | Held::Engine(_) => self.engine().enter_body(),
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
            rare::leave(self.engine, has_ended);
        }
    }

    /// What comes of a call that could not start shortly: its turn, with the body entered, or what refused it.
    #[inline(always)]
    pub(crate) fn turn_refusable(&mut self) -> Result<(), Refused> {
        self.way = Way::Clear;
        let turned = rare::turn_refusable(self.plan, self.engine);
        self.turned(turned)
    }

    /// The same, where not every refusal is heard.
    #[inline(always)]
    pub(crate) fn turn_late(&mut self, turn: Turn<'p>) -> Result<(), Refused> {
        self.way = Way::Clear;
        let turned = rare::turn_late(self.plan, self.engine, turn);
        self.turned(turned)
    }

    /// One that is refused, or panics on the way, holds nothing that would have to be dropped here.
    #[inline(always)]
    fn turned(&mut self, turned: Result<(), Refused>) -> Result<(), Refused> {
        if turned.is_ok() {
            self.way = Way::Long;
        }
        turned
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
        let settled = rare::settle(self.engine, self.plan, self.settling(), judge, outcome);
        if settled.is_none() {
            self.way = Way::Long;
        }
        settled
    }

    /// The same, and whether it was a success; what comes before another attempt is given back too.
    #[inline(always)]
    pub fn settle_knowing<R, J: Judge<R>>(&mut self, judge: J, outcome: R) -> ControlFlow<(R, bool), R> {
        let settled = rare::settle_knowing(self.engine, self.plan, self.settling(), judge, outcome);
        if settled.is_continue() {
            self.way = Way::Long;
        }
        settled
    }

    /// The same, where nothing is retried.
    #[inline(always)]
    pub fn settle_once<R, J: Judge<R>>(&mut self, judge: J, outcome: R) -> R {
        self.settle_once_knowing(judge, outcome).0
    }

    /// The same, and whether it was a success.
    #[inline(always)]
    pub fn settle_once_knowing<R, J: Judge<R>>(&mut self, judge: J, outcome: R) -> (R, bool) {
        rare::settle_once(self.engine, self.plan, self.settling(), judge, outcome)
    }

    #[inline(always)]
    fn settling(&self) -> Settling {
        Settling { way: self.way, start: Start { pass: self.pass, at: self.at } }
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
            Way::Clear | Way::Running | Way::Long => {
                rare::succeed_late_and_earn(self.engine, self.plan);
                self.way = Way::Run;
            }
            Way::Run => {
                self.hear();
                if !self.plan.budget.is_full() {
                    rare::earn(self.plan);
                }
            }
        }
    }

    #[inline(always)]
    fn succeed(&mut self) {
        match self.way {
            Way::Clear | Way::Running | Way::Long => {
                rare::succeed_late(self.engine, self.plan);
                self.way = Way::Run;
            }
            Way::Run => self.hear(),
        }
    }

    #[inline(always)]
    fn hear(&self) {
        if self.plan.circuit.listens() {
            rare::hear(self.plan, Start { pass: self.pass, at: self.at });
        }
    }

    /// The outcome that stands in the body's place, if that is why it did not run.
    #[doc(hidden)]
    #[inline(always)]
    pub fn script<R>(&mut self, play: impl FnOnce(&Ticket) -> R) -> Option<R> {
        self.way = Way::Long;
        rare::script(self.engine, self.plan, play)
    }
}

impl Drop for Call<'_, '_> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.way >= Way::Running {
            rare::end(self.engine, self.plan, self.pass);
        }
    }
}

/// Whether nothing can follow the attempt that ended so: only a timeout may be retried.
#[doc(hidden)]
#[must_use]
pub fn is_final(rejected: &Rejected) -> bool {
    !matches!(rejected, Rejected::Timeout(_))
}

#[cfg(test)]
mod tests;
