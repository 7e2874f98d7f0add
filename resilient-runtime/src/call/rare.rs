//! What a call does rarely, once for all functions: it is lent what it needs, so that the call itself never is.

#![expect(clippy::inline_always, reason = "as in `call`")]

use super::slot::Held;
use super::{EngineSlot, Start, Way};
use crate::breaker::Pass;
use crate::clock::{Tick, now};
use crate::engine::Engine;
use crate::events;
use crate::judging::Judge;
use crate::nesting;
use crate::plan::Plan;
use crate::refused::Refused;
use crate::rejected::{Kind, Time};
use crate::script::Ticket;
use crate::seat::Seat;
use crate::wishes;
use std::ops::ControlFlow;

/// How an engine that was not at once ready comes to its turn.
pub(super) type Turn<'p> = fn(&mut Engine<'p>) -> Result<(), Refused>;

/// In its body only a panic ends a call.
#[cold]
#[inline(never)]
pub(super) fn end<'p>(slot: &mut EngineSlot<'p>, plan: &'p Plan<'p>, pass: Pass) {
    match slot.held() {
        Held::Nothing => {
            nesting::ascend();
            build(slot, plan, Way::Run, Start { pass, at: Tick::UNREAD }).body_panicked();
        }
        Held::Seat(seat) if seat.is_taken() => {
            seat.leave_body();
            seat.take_over().body_panicked();
        }
        Held::Seat(_) | Held::Engine(_) => {}
    }
    slot.hold(Held::Nothing);
}

#[cold]
#[inline(never)]
pub(super) fn leave(slot: &mut EngineSlot<'_>, has_ended: bool) {
    match slot.held() {
        Held::Nothing => {}
        Held::Seat(seat) if has_ended => seat.leave_body(),
        Held::Seat(seat) => {
            let engine = seat.pend();
            slot.hold(Held::Engine(engine));
        }
        Held::Engine(engine) => {
            engine.leave_body();
            if has_ended {
                engine.body_ended();
            }
        }
    }
}

/// The short way was open to a call, and led nowhere.
pub(super) fn has_tried_shortly(plan: &Plan<'_>) -> bool {
    !plan.gate.is_shut() && nesting::is_alone()
}

#[cold]
#[inline(never)]
pub(super) fn turn_refusable<'p>(plan: &'p Plan<'p>, slot: &mut EngineSlot<'p>) -> Result<(), Refused> {
    if slot.is_empty()
        && let Some(refused) = refusal(plan)
    {
        return Err(refused);
    }
    turn_late(plan, slot, Engine::wait_for_turn)
}

#[cold]
#[inline(never)]
pub(super) fn turn_late<'p>(plan: &'p Plan<'p>, slot: &mut EngineSlot<'p>, turn: Turn<'p>) -> Result<(), Refused> {
    if slot.is_empty() && sits(plan, slot) {
        return Ok(());
    }
    wait_for_turn(plan, slot, turn)
}

/// Whether its first attempt needs more than a pass and a token, and has it; if so, its body is entered.
#[inline(always)]
fn sits<'p>(plan: &'p Plan<'p>, slot: &mut EngineSlot<'p>) -> bool {
    let seat = Seat::take(plan);
    let sits = seat.is_some();
    if let Some(seat) = seat {
        seat.enter_body();
        slot.hold(Held::Seat(seat));
    }
    sits
}

#[cold]
#[inline(never)]
fn wait_for_turn<'p>(plan: &'p Plan<'p>, slot: &mut EngineSlot<'p>, turn: Turn<'p>) -> Result<(), Refused> {
    let has_tried = slot.is_empty() && has_tried_shortly(plan);
    let slot = GivenUp(slot);
    let engine = slot.0.engine_or(|| Engine::begin(plan));
    engine.rest_blocking();
    let turned = if !has_tried && engine.starts_at_once() { Ok(()) } else { turn(engine) };
    if turned.is_ok() {
        engine.enter_body();
    } else if !Ticket::is_handed_over() {
        engine.give_back();
    }
    std::mem::forget(slot);
    turned
}

/// The engine of a call that panics while it waits for its turn.
struct GivenUp<'e, 'p>(&'e mut EngineSlot<'p>);

impl Drop for GivenUp<'_, '_> {
    fn drop(&mut self) {
        self.0.hold(Held::Nothing);
    }
}

/// A success of a call that is not on the short way; nothing is held any more.
#[cold]
#[inline(never)]
pub(super) fn succeed_late(slot: &mut EngineSlot<'_>, plan: &Plan<'_>) {
    match slot.held() {
        Held::Nothing => {}
        Held::Seat(seat) => hear(plan, seat.start()),
        Held::Engine(engine) => engine.succeed(),
    }
}

/// The same, where retries are paid for.
#[cold]
#[inline(never)]
pub(super) fn succeed_late_and_earn(slot: &mut EngineSlot<'_>, plan: &Plan<'_>) {
    match slot.held() {
        Held::Nothing => {}
        Held::Engine(engine) => engine.succeed_and_earn(),
        Held::Seat(seat) => {
            hear(plan, seat.start());
            earn(plan);
        }
    }
}

#[cold]
#[inline(never)]
pub(super) fn script<'p, R>(slot: &mut EngineSlot<'p>, plan: &'p Plan<'p>, outcome_of: impl FnOnce(&Ticket) -> R) -> Option<R> {
    let engine = slot.engine_or(|| Engine::begin(plan));
    let outcome = Ticket::take_up().map(|ticket| outcome_of(&ticket));
    if outcome.is_some() {
        engine.body_ended();
    }
    outcome
}

/// Where an attempt stands whose outcome is settled.
#[derive(Clone, Copy)]
pub(super) struct Settling {
    pub(super) way: Way,
    pub(super) start: Start,
}

#[cold]
#[inline(never)]
pub(super) fn settle<'p, R, J: Judge<R>>(
    slot: &mut EngineSlot<'p>,
    plan: &'p Plan<'p>,
    settling: Settling,
    judge: J,
    outcome: R,
) -> Option<R> {
    match settle_knowing(slot, plan, settling, judge, outcome) {
        ControlFlow::Break((outcome, _)) => Some(outcome),
        ControlFlow::Continue(_) => None,
    }
}

#[cold]
#[inline(never)]
pub(super) fn settle_knowing<'p, R, J: Judge<R>>(
    slot: &mut EngineSlot<'p>,
    plan: &'p Plan<'p>,
    Settling { way, start }: Settling,
    judge: J,
    outcome: R,
) -> ControlFlow<(R, bool), R> {
    let judged = judge.judge(&outcome);
    let is_success = judged.is_success();
    let is_over = if !is_success || judged.again {
        build(slot, plan, way, start).settle(judged)
    } else {
        if way == Way::Run {
            hear(plan, start);
            earn(plan);
        } else {
            succeed_late_and_earn(slot, plan);
        }
        true
    };
    if is_over { ControlFlow::Break((outcome, is_success)) } else { ControlFlow::Continue(outcome) }
}

#[cold]
#[inline(never)]
pub(super) fn settle_once<'p, R, J: Judge<R>>(
    slot: &mut EngineSlot<'p>,
    plan: &'p Plan<'p>,
    Settling { way, start }: Settling,
    judge: J,
    outcome: R,
) -> (R, bool) {
    let judged = judge.judge(&outcome);
    let is_success = judged.is_success();
    match way {
        _ if !is_success => build(slot, plan, way, start).settle_once(judged),
        Way::Run => hear(plan, start),
        Way::Clear | Way::Running | Way::Long => succeed_late(slot, plan),
    }
    (outcome, is_success)
}

#[cold]
#[inline(never)]
pub(super) fn build<'e, 'p>(engine: &'e mut EngineSlot<'p>, plan: &'p Plan<'p>, way: Way, start: Start) -> &'e mut Engine<'p> {
    engine.engine_or(|| match way {
        Way::Running | Way::Run => Engine::take_over(plan, start),
        Way::Clear | Way::Long => Engine::begin(plan),
    })
}

/// What an open circuit or an empty bucket answers, if that can be seen by looking. It is told of here.
#[inline(always)]
pub(super) fn refusal(plan: &Plan<'_>) -> Option<Refused> {
    if !has_tried_shortly(plan) || wishes::is_scripted() {
        return None;
    }
    let now = now();
    let (kind, wait) = match plan.breaker.and_then(|breaker| breaker.refuses_for(now)) {
        Some(wait) => (Kind::CircuitOpen, wait),
        None if plan.breaker.is_some_and(|breaker| !breaker.lets_pass()) => return None,
        None => (Kind::RateLimited, plan.bucket?.refuses_for(now, plan.settings.max_wait)?),
    };
    let refused = Refused::by(kind, Time::nanos(wait));
    events::rejected(plan, refused, 0, now);
    Some(refused)
}

#[cold]
pub(super) fn hear(plan: &Plan<'_>, Start { pass, at }: Start) {
    if let Some(breaker) = plan.breaker.filter(|_| plan.circuit.listens()) {
        breaker.hear(pass, at.into());
    }
}

#[cold]
pub(super) fn earn(plan: &Plan<'_>) {
    if !plan.budget.is_full() {
        plan.budget.earn(now());
    }
}
