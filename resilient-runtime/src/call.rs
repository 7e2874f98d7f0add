//! One call, as the code around a body holds it.
//!
//! Most calls need a closed circuit and a token that is there, and get both: a few loads and a swap, and no engine is ever built.
//! Whatever else a call needs, and whatever else becomes of it, is the [engine](crate::engine)'s.

use crate::breaker::{Breaker, Pass};
use crate::clock::{self, Instant, now};
use crate::engine::{Delay, Engine};
use crate::judging::Judged;
use crate::nesting;
use crate::plan::Plan;
use crate::rejected::Rejected;
use crate::running::Running;
use crate::script::Ticket;
use crate::verdict::Verdict;
use crate::wishes;
use std::ops::ControlFlow;

/// One call, over all its attempts. What it holds itself is copied and never lent, so that it can stay in registers.
#[doc(hidden)]
#[derive(Debug)]
pub struct Call<'e, 'p> {
    plan: &'p Plan<'p>,
    way: Way,
    engine: &'e mut Option<Engine<'p>>,
}

/// How far it has come without an engine.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    Clear,
    /// Its first attempt runs.
    Short(Start),
    /// No further.
    Long,
}

/// What a healthy attempt started with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    pub(crate) pass: Pass,
    /// `NEVER` where nobody had to know.
    pub(crate) at: Instant,
}

impl Start {
    /// A closed circuit and a token for now, as far as the plan has them; if not both, nothing is held.
    #[inline]
    fn at_once(plan: &Plan<'_>) -> Option<Self> {
        let pass = plan.breaker.map_or(Some(Pass::FREE), Breaker::pass)?;
        let Some(bucket) = plan.bucket else {
            return (!wishes::is_scripted()).then_some(Self { pass, at: Instant::NEVER });
        };
        let at = clock::glance()?;
        bucket.take_and_spend(at).then_some(Self { pass, at })
    }
}

impl<'e, 'p> Call<'e, 'p> {
    #[inline]
    #[must_use]
    pub fn new(plan: &'p Plan<'p>, engine: &'e mut Option<Engine<'p>>) -> Self {
        Self { plan, way: Way::Clear, engine }
    }

    /// What takes over wherever the short way ends.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call that is lent cannot stay in registers")]
    pub(crate) fn engine(&mut self) -> &mut Engine<'p> {
        build(self.engine, self.plan, std::mem::replace(&mut self.way, Way::Long))
    }

    #[inline]
    pub(crate) fn plan(&self) -> &'p Plan<'p> {
        self.plan
    }

    /// When it must end.
    pub(crate) fn ends(&mut self) -> Instant {
        if self.is_short() { Instant::NEVER } else { self.engine().handed_down().ends }
    }

    #[inline]
    fn is_short(&self) -> bool {
        self.plan.is_short && nesting::is_alone()
    }

    /// Whether the coming attempt is the last.
    #[inline]
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.engine.as_ref().map_or(self.plan.settings.retries == 0, Engine::is_last)
    }

    /// Whether everything that the coming attempt needs is had at once.
    #[inline]
    pub(crate) fn starts_at_once(&mut self) -> bool {
        if matches!(self.way, Way::Clear)
            && self.is_short()
            && let Some(start) = Start::at_once(self.plan)
        {
            self.way = Way::Short(start);
            return true;
        }
        self.engine().starts_at_once()
    }

    /// From here on the calls that the body makes are nested.
    #[inline]
    pub(crate) fn start_body(&mut self) -> Running<'_, 'p> {
        Running::start(self.plan, self.way, self.engine)
    }

    /// The body has ended, so its slot is free.
    #[inline]
    pub(crate) fn body_ended(&mut self) {
        if matches!(self.way, Way::Long) {
            self.engine().body_ended();
        }
    }

    /// Takes the verdict on an attempt: what it holds is accounted for, and a retry decided.
    #[inline]
    pub fn settle(&mut self, judged: Judged<'_>) -> ControlFlow<(), Delay> {
        if judged.verdict != Verdict::Success {
            return self.engine().settle(judged);
        }
        match self.way {
            Way::Clear | Way::Long => self.engine().succeed_and_earn(),
            Way::Short(start) => {
                self.succeed(start);
                if !self.plan.budget.is_full() {
                    earn(self.plan);
                }
            }
        }
        ControlFlow::Break(())
    }

    /// The same, where nothing is retried.
    #[inline]
    pub fn settle_once(&mut self, judged: Judged<'_>) {
        if judged.verdict != Verdict::Success {
            return self.engine().settle_once(judged);
        }
        match self.way {
            Way::Clear | Way::Long => self.engine().succeed(),
            Way::Short(start) => self.succeed(start),
        }
    }

    /// The same for an outcome from a script; apart, so that the body's own needs no help to find its way.
    #[inline]
    pub fn settle_scripted(&mut self, judged: Judged<'_>) -> ControlFlow<(), Delay> {
        settle_scripted(self.engine(), judged)
    }

    #[inline]
    fn succeed(&self, start: Start) {
        if let Some(breaker) = self.plan.breaker
            && breaker.listens()
        {
            breaker.hear(start.pass, start.at);
        }
    }

    /// The outcome that stands in the body's place, if that is why it did not run.
    #[doc(hidden)]
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call that is lent cannot stay in registers")]
    pub fn script<R>(&mut self, play: impl FnOnce(&Ticket) -> R) -> Option<R> {
        script(self.engine(), play)
    }
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
fn settle_scripted(engine: &mut Engine<'_>, judged: Judged<'_>) -> ControlFlow<(), Delay> {
    if judged.verdict == Verdict::Success {
        engine.succeed_and_earn();
        return ControlFlow::Break(());
    }
    engine.settle(judged)
}

#[cold]
#[inline(never)]
pub(crate) fn build<'e, 'p>(engine: &'e mut Option<Engine<'p>>, plan: &'p Plan<'p>, way: Way) -> &'e mut Engine<'p> {
    engine.get_or_insert_with(|| match way {
        Way::Short(start) => Engine::take_over(plan, start),
        Way::Clear | Way::Long => Engine::begin(plan),
    })
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
