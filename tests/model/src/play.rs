//! Plays a history against the library and against the model, and compares everything that can be seen after every operation.

mod body;
mod compare;

use body::{Bodies, body_of};
pub(crate) use body::{Body, Failed, verdict};

use crate::annotated;
use crate::breaker::Breaker;
use crate::bucket::Bucket;
use crate::budget::Budget;
use crate::bulkhead::Bulkhead;
use crate::call::{Stop, World};
use crate::flaw::Flaw;
use crate::function::{NEVER, Outcome};
use crate::hearing;
use crate::history::{Force, History, Operation, Reload, Setting, changed, changed_function};
use crate::stage::{Clock, Stage, nanos};
use resilient::{Policy, TryAcquireError};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// What is owed longer than that is not reckoned: a word holds 36 years.
const MOST_OWED: u64 = 1 << 59;
/// More open calls than that tell nothing new.
const MOST_CALLS: usize = 12;

/// How a history went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Played {
    /// Operations that were compared.
    pub operations: usize,
    /// Calls that ended.
    pub ends: usize,
    /// Whether chance decided something that nothing told, so that it ended there.
    pub was_cut_short: bool,
}

struct Alarm(AtomicBool);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

type CallFuture = Pin<Box<dyn Future<Output = Result<(), Failed>>>>;

struct LibraryCall {
    future: Option<CallFuture>,
    bodies: Rc<RefCell<Bodies>>,
    alarm: Arc<Alarm>,
}

/// What a poll of the library came to.
enum Polled {
    Pending,
    Ready(Result<(), Failed>),
    Panicked,
}

struct Play {
    stage: Arc<Stage>,
    other: Option<Arc<Stage>>,
    clock: Rc<Clock>,
    /// Time never goes back behind it.
    began: u64,
    setting: Setting,
    policy: Policy,
    calls: Vec<LibraryCall>,
    world: World,
    waits_seen: usize,
    played: Played,
}

/// Plays a history; the model has that rule wrong.
///
/// # Errors
///
/// What the library does otherwise than the model, and when.
pub fn play(history: &History, flaw: Option<Flaw>) -> Result<Played, String> {
    // What is configured is the process's, so one history is played at a time.
    static STAGES: Mutex<[Option<Arc<Stage>>; 2]> = Mutex::new([None, None]);
    let mut stages = STAGES.lock().unwrap_or_else(PoisonError::into_inner);
    let kind = usize::from(history.setting.waits_turn_the_clock);
    let stage = match stages[kind].take().filter(|stage| !stage.is_worn()) {
        Some(stage) => stage,
        None => Arc::new(Stage::new(history.setting.waits_turn_the_clock)?),
    };
    let played = hearing::listening(|| play_on(&stage, stages[1 - kind].as_ref(), history, flaw));
    if played.as_ref().is_ok_and(|played| !played.was_cut_short) {
        stages[kind] = Some(stage);
    }
    played
}

fn play_on(stage: &Arc<Stage>, other: Option<&Arc<Stage>>, history: &History, flaw: Option<Flaw>) -> Result<Played, String> {
    let mut play = Play::new(stage, other, &history.setting, flaw)?;
    let _entered = stage.enter();
    hearing::take();
    for (place, operation) in history.operations.iter().enumerate() {
        let done = play.operate(operation).and_then(|()| play.compare());
        match done {
            Ok(()) => play.played.operations += 1,
            Err(Stop::Undecided) => {
                play.played.was_cut_short = true;
                play.abandon()?;
                return Ok(play.played);
            }
            Err(Stop::Differs(what)) => return Err(format!("after operation {place}, {operation:?}: {what}")),
        }
    }
    match play.quiesce() {
        Ok(()) => {}
        Err(Stop::Undecided) => play.played.was_cut_short = true,
        Err(Stop::Differs(what)) => return Err(format!("when all is quiet: {what}")),
    }
    if play.setting.is_annotated && !play.played.was_cut_short {
        annotated::keep_refusals(play.setting.waits_turn_the_clock, play.world.refusals);
    }
    stage.keep(&play.clock);
    Ok(play.played)
}

fn differs<T>(what: String) -> Result<T, Stop> {
    Err(Stop::Differs(what))
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, library: &T, model: &T) -> Result<(), Stop> {
    if library == model { Ok(()) } else { differs(format!("{what}: the library says {library:?}, the model {model:?}")) }
}

impl Play {
    fn new(stage: &Arc<Stage>, other: Option<&Arc<Stage>>, setting: &Setting, flaw: Option<Flaw>) -> Result<Self, String> {
        let clock = Rc::new(stage.clock());
        let policy = stage.policy(setting)?;
        resilient::breaker(&stage.names.breaker).reset();
        let _entered = stage.enter();
        stage.install(setting, other.map(Arc::as_ref))?;
        let began = stage.now(&clock);
        let mut world = World::new(began, setting.waits_turn_the_clock, setting.function, flaw);
        if setting.is_annotated {
            world.refusals = annotated::take_refusals(setting.waits_turn_the_clock);
        }
        world.breaker = setting.breaker.map(|settings| Breaker::new(settings, flaw));
        world.bucket = setting.bucket.map(|rate| Bucket::new(rate, flaw));
        world.bulkhead = setting.bulkhead.map(|limit| Bulkhead::new(limit, flaw));
        world.budget = setting.budget.map(|settings| Budget::new(settings, flaw));
        Ok(Self {
            stage: Arc::clone(stage),
            other: other.cloned(),
            clock,
            began,
            setting: setting.clone(),
            policy,
            calls: Vec::new(),
            world,
            waits_seen: 0,
            played: Played::default(),
        })
    }

    fn operate(&mut self, operation: &Operation) -> Result<(), Stop> {
        match operation {
            Operation::Call { outcomes, is_sync: true, .. } if !self.setting.is_annotated => self.call_sync(outcomes),
            Operation::Call { outcomes, is_polled, .. } => self.call_async(outcomes, *is_polled),
            Operation::Poll(which) => self.open_call(*which).map_or(Ok(()), |who| self.poll(who)),
            Operation::Finish(which, outcome) => self.finish(*which, *outcome),
            Operation::Drop(which) => {
                if let Some(who) = self.open_call(*which) {
                    self.cancel(who);
                }
                Ok(())
            }
            Operation::Pass(time) => {
                self.pass(*time);
                Ok(())
            }
            Operation::PassTo(which, shift) => {
                self.pass_to(*which, *shift);
                Ok(())
            }
            Operation::TurnBack(time) => {
                self.turn_back(*time);
                Ok(())
            }
            Operation::Reload(reload) => self.reload(*reload),
            Operation::Force(force) => {
                self.force(*force);
                Ok(())
            }
            Operation::TryAcquire(tokens) => self.try_acquire(*tokens),
        }
    }

    fn open_call(&self, which: u8) -> Option<usize> {
        let open = self.world.open_calls();
        (!open.is_empty()).then(|| open[usize::from(which) % open.len()])
    }

    fn new_call(&mut self, outcomes: &[(Outcome, u64)], is_sync: bool) -> usize {
        let bodies = Rc::new(RefCell::new(Bodies { outcomes: outcomes.iter().copied().collect(), starts: Vec::new() }));
        self.calls.push(LibraryCall { future: None, bodies, alarm: Arc::new(Alarm(AtomicBool::new(false))) });
        self.world.call(outcomes, is_sync)
    }

    fn call_async(&mut self, outcomes: &[(Outcome, u64)], is_polled: bool) -> Result<(), Stop> {
        if self.world.open_calls().len() >= MOST_CALLS {
            return Ok(());
        }
        let who = self.new_call(outcomes, false);
        let body =
            Body { bodies: Rc::clone(&self.calls[who].bodies), stage: Arc::clone(&self.stage), clock: Rc::clone(&self.clock) };
        let (policy, turns_the_clock) = (self.policy.clone(), self.setting.waits_turn_the_clock);
        self.calls[who].future = Some(if self.setting.is_annotated {
            Box::pin(async move { annotated::call(turns_the_clock, &body).await })
        } else {
            Box::pin(async move { policy.run_async_with(|| body.run(), verdict).await })
        });
        if is_polled { self.poll(who) } else { Ok(()) }
    }

    fn call_sync(&mut self, outcomes: &[(Outcome, u64)]) -> Result<(), Stop> {
        let is_idle = self.world.bulkhead.as_ref().is_none_or(|bulkhead| bulkhead.in_flight() == 0 && bulkhead.waiting() == 0);
        if !is_idle && self.setting.function.max_wait == NEVER {
            // It would wait for itself.
            return Ok(());
        }
        let who = self.new_call(outcomes, true);
        let (bodies, stage, clock) = (Rc::clone(&self.calls[who].bodies), &self.stage, &self.clock);
        let body = || {
            bodies.borrow_mut().starts.push(stage.now(clock));
            let outcome = bodies.borrow_mut().outcomes.pop_front();
            body_of(stage, clock, outcome.unwrap_or((Outcome::Success, 0)))
        };
        let ran = catch_unwind(AssertUnwindSafe(|| self.policy.run_with(body, verdict)));
        let polled = ran.map_or(Polled::Panicked, Polled::Ready);
        self.agree(who, &polled)
    }

    fn poll(&mut self, who: usize) -> Result<(), Stop> {
        let polled = self.poll_library(who);
        self.agree(who, &polled)
    }

    fn poll_library(&mut self, who: usize) -> Polled {
        let call = &mut self.calls[who];
        let Some(future) = &mut call.future else { return Polled::Pending };
        call.alarm.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&call.alarm));
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut Context::from_waker(&waker))));
        let polled = match polled {
            Ok(Poll::Pending) => return Polled::Pending,
            Ok(Poll::Ready(outcome)) => Polled::Ready(outcome),
            Err(_) => Polled::Panicked,
        };
        call.future = None;
        polled
    }

    fn finish(&mut self, which: u8, outcome: Outcome) -> Result<(), Stop> {
        let running: Vec<_> = self.world.open_calls().into_iter().filter(|&who| self.world.is_in_body(who)).collect();
        if running.is_empty() {
            return Ok(());
        }
        let who = running[usize::from(which) % running.len()];
        self.calls[who].bodies.borrow_mut().outcomes.push_back((outcome, 0));
        self.world.tell_outcome(who, outcome);
        self.poll(who)
    }

    fn cancel(&mut self, who: usize) {
        self.calls[who].future = None;
        self.world.cancel(who);
    }

    fn pass(&mut self, time: u64) {
        self.stage.pass(&self.clock, time);
        self.world.now += time;
    }

    fn pass_to(&mut self, which: u8, shift: i8) {
        let moments = self.world.moments();
        if !moments.is_empty() {
            let moment = moments[usize::from(which) % moments.len()].saturating_add_signed(i64::from(shift));
            self.pass(moment.saturating_sub(self.world.now));
        }
    }

    fn turn_back(&mut self, time: u64) {
        let time = time.min(self.world.now - self.began);
        if let Clock::Turned(clock) = &*self.clock {
            clock.turn_back(Duration::from_nanos(time));
            self.world.now -= time;
        }
    }

    fn reload(&mut self, reload: Reload) -> Result<(), Stop> {
        let now = self.world.now;
        match reload {
            Reload::Breaker(which, to) => {
                self.setting.breaker = self.setting.breaker.map(|settings| changed(settings, which, to));
                if let (Some(breaker), Some(settings)) = (&mut self.world.breaker, self.setting.breaker) {
                    breaker.change(settings);
                }
            }
            Reload::Rate(rate) => {
                if let Some(bucket) = &mut self.world.bucket {
                    self.setting.bucket = Some(rate);
                    bucket.change(rate, now);
                    if bucket.is_full_at() > MOST_OWED {
                        return Err(Stop::Undecided);
                    }
                }
            }
            Reload::Concurrency(limit) => {
                if let Some(bulkhead) = &mut self.world.bulkhead {
                    self.setting.bulkhead = Some(limit);
                    bulkhead.change(limit);
                }
            }
            Reload::Budget(settings) => {
                if let Some(budget) = &mut self.world.budget {
                    self.setting.budget = Some(settings);
                    budget.change(settings, now);
                }
            }
            Reload::Function(which, to) => {
                self.setting.function = changed_function(self.setting.function, which, to);
                self.world.function = self.setting.function;
            }
        }
        self.stage.install(&self.setting, self.other.as_deref()).map_err(Stop::Differs)
    }

    fn force(&mut self, force: Force) {
        let Some(breaker) = &mut self.world.breaker else { return };
        let ours = resilient::breaker(&self.stage.names.breaker);
        match force {
            Force::Open => (ours.force_open(), breaker.force_open()),
            Force::Disable => (ours.disable(), breaker.disable()),
            Force::Shadow => (ours.shadow(), breaker.shadow()),
            Force::Reset => (ours.reset(), breaker.reset(self.world.now)),
        };
    }

    fn try_acquire(&mut self, tokens: u32) -> Result<(), Stop> {
        let now = self.world.now;
        let Some(bucket) = &mut self.world.bucket else { return Ok(()) };
        let ours = resilient::bucket(&self.stage.names.bucket).try_acquire(tokens);
        let expected = if tokens == 0 || tokens > bucket.rate.burst {
            let less = u64::from(self.world.flaw == Some(Flaw::ImpossibleTellsOneLess));
            Err(TryAcquireErrorSaid::Impossible(tokens, u64::from(bucket.rate.burst) - less))
        } else {
            let taken = if tokens == 1 { bucket.reserve(now, now).map(drop) } else { bucket.take(tokens, now) };
            taken.map_err(|at| TryAcquireErrorSaid::NotYet(at - now))
        };
        let said = ours.map_err(|error| match error {
            TryAcquireError::NotYet { retry_after } => TryAcquireErrorSaid::NotYet(nanos(retry_after)),
            TryAcquireError::Impossible { asked, burst } => TryAcquireErrorSaid::Impossible(asked, burst),
            _ => TryAcquireErrorSaid::Unknown,
        });
        same("tokens by hand", &said, &expected)
    }

    /// Drops everything; nothing is in flight, and after ten times the recovery time a call is admitted.
    fn quiesce(&mut self) -> Result<(), Stop> {
        for who in self.world.open_calls() {
            self.cancel(who);
        }
        self.compare()?;
        if let Some(bulkhead) = &self.world.bulkhead {
            same("in flight and in line", &(bulkhead.in_flight(), bulkhead.waiting()), &(0, 0))?;
        }
        if self.world.breaker.as_ref().is_some_and(Breaker::is_forced_open) {
            self.force(Force::Reset);
        }
        self.rest();
        self.compare()?;
        let before = self.calls.len();
        self.call_async(&[(Outcome::Success, 0)], true)?;
        if self.calls[before].future.is_some() || self.world.starts(before).len() != 1 {
            return differs("a call is not admitted".to_owned());
        }
        self.compare()?;
        self.rest();
        Ok(())
    }

    fn rest(&mut self) {
        let now = self.world.now;
        let recovery = self.setting.breaker.map_or(0, |breaker| breaker.max_recovery_timeout.saturating_mul(10));
        let last = self.world.moments().last().map_or(0, |last| last - now);
        let full =
            self.world.bucket.as_ref().map_or(0, |bucket| bucket.is_full_at().saturating_sub(now) + 2 * bucket.rate.interval);
        let refilled = self.world.budget.as_ref().map_or(0, |budget| budget.is_full_at().saturating_sub(now));
        self.pass(recovery.max(last).max(full).max(refilled) + 60_000_000_000);
    }

    /// What holds without a model.
    fn abandon(&mut self) -> Result<(), String> {
        self.calls.clear();
        let bulkhead = resilient::bulkhead(&self.stage.names.bulkhead);
        let left = (bulkhead.in_flight(), bulkhead.waiting());
        if left == (0, 0) { Ok(()) } else { Err(format!("in flight and in line when all is quiet: {left:?}")) }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum TryAcquireErrorSaid {
    NotYet(u64),
    Impossible(u32, u64),
    Unknown,
}
