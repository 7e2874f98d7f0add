//! The circuit breaker of one name.
//!
//! A healthy call reads one word when it starts and one when it ends. Every change of state is made under one lock, which only a
//! failing service ever takes, and is published in that word with a new generation; a permit carries the generation that admitted
//! it, so a late result changes nothing. There are no timers: the state is computed from the clock when somebody asks.

mod recovery;
mod word;

use crate::circuit_breaker::{CircuitBreaker, Settings};
use crate::clock::{Instant, now};
use crate::events;
use crate::latest::{Latest, Source};
use crate::sync::{Mutex, MutexGuard, lock};
use recovery::Recovery;
use std::sync::atomic::{AtomicU64, Ordering};
use word::{Phase, Word};

/// A circuit breaker, shared by every function that names it: [`breaker`](crate::breaker).
#[derive(Debug)]
pub struct Breaker {
    name: &'static str,
    word: AtomicU64,
    /// While the circuit is not closed: nobody is admitted before this moment.
    shut_until: AtomicU64,
    settings: Source<Settings>,
    recovery: Mutex<Recovery>,
}

/// What a circuit breaker does with the next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Calls pass; consecutive failures are counted.
    Closed,
    /// Calls are refused until the recovery time is over.
    Open,
    /// A few calls may probe whether the service is back.
    HalfOpen,
    /// Refuses everything until [`Breaker::reset`].
    ForcedOpen,
    /// Admits everything and counts nothing until [`Breaker::reset`].
    Disabled,
}

/// A change of state, told after it is complete and no lock is held.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    Opened { failures: u32, open_for: u64 },
    HalfOpen,
    Closed,
}

/// The right to make one call; dropped without a result it gives its place back, as if it had not asked.
#[derive(Debug)]
pub(crate) struct Permit<'b> {
    breaker: &'b Breaker,
    /// As it was when the call was admitted; for a probe with its number in the place of the failures.
    word: Word,
}

impl Breaker {
    pub(crate) fn new(name: &'static str, settings: CircuitBreaker) -> Self {
        Self::with(name, Source::own(settings.resolved()))
    }

    /// One of many that have the same settings, and whose settings change together.
    pub(crate) fn following(name: &'static str, settings: &'static Latest<Settings>) -> Self {
        Self::with(name, Source::Common(settings))
    }

    fn with(name: &'static str, settings: Source<Settings>) -> Self {
        Self {
            name,
            word: AtomicU64::new(Word::CLOSED.bits()),
            shut_until: AtomicU64::new(0),
            settings,
            recovery: Mutex::new(Recovery::default()),
        }
    }

    /// Takes new settings and keeps the state. Two changes at once are the caller's to prevent.
    pub(crate) fn change_settings(&self, settings: CircuitBreaker) {
        let settings = settings.resolved();
        if *self.settings.get() != settings {
            self.settings.replace(settings);
        }
    }

    /// The name by which functions share it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What would happen to a call now. An open circuit whose recovery time is over counts as half open.
    #[must_use]
    pub fn state(&self) -> State {
        match self.load().phase() {
            Phase::Closed => State::Closed,
            Phase::Open if now() < self.shut_until() => State::Open,
            Phase::Open | Phase::HalfOpen => State::HalfOpen,
            Phase::ForcedOpen => State::ForcedOpen,
            Phase::Disabled => State::Disabled,
        }
    }

    /// Failures in a row so far, while it is closed; 0 in every other state.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.load().failures()
    }

    /// Refuses every call from now on, until [`reset`](Self::reset).
    pub fn force_open(&self) {
        self.force(Phase::ForcedOpen);
    }

    /// Admits every call from now on and counts nothing, until [`reset`](Self::reset).
    pub fn disable(&self) {
        self.force(Phase::Disabled);
    }

    /// Closes the circuit and forgets all failures. Results of calls admitted before change nothing.
    ///
    /// ```
    /// # use resilient_runtime as resilient;
    /// use resilient::{State, breaker};
    ///
    /// let payments = breaker("payments");
    /// payments.force_open();
    /// assert_eq!(payments.state(), State::ForcedOpen);
    /// payments.reset();
    /// assert_eq!(payments.state(), State::Closed);
    /// ```
    pub fn reset(&self) {
        self.force(Phase::Closed);
    }

    fn force(&self, phase: Phase) {
        let mut recovery = lock(&self.recovery);
        *recovery = Recovery::default();
        self.publish(&recovery, phase, Instant::from_nanos(0));
    }

    /// Gives a permit if the circuit is closed. (Handed over in place: as a value it would go through memory twice.)
    #[inline]
    pub(crate) fn admit_healthy<'b>(&'b self, give: impl FnOnce(Permit<'b>)) -> bool {
        let word = self.load();
        let is_closed = word.phase() == Phase::Closed;
        if is_closed {
            give(Permit { breaker: self, word });
        }
        is_closed
    }

    /// A permit, or when it is worth coming back. `lease` is how long a probe may take before another may try.
    #[cold]
    pub(crate) fn admit(&self, now: Instant, lease: Option<u64>) -> Result<Permit<'_>, Option<Instant>> {
        let word = self.load();
        match word.phase() {
            Phase::Disabled => return Ok(Permit { breaker: self, word }),
            Phase::ForcedOpen => return Err(None),
            Phase::Open | Phase::HalfOpen if now < self.shut_until() => return Err(Some(self.shut_until())),
            _ => {}
        }
        let mut recovery = lock(&self.recovery);
        let (admitted, change) = self.probe(&mut recovery, now, lease);
        drop(recovery);
        self.tell(change);
        admitted
    }

    fn probe(
        &self,
        recovery: &mut Recovery,
        now: Instant,
        lease: Option<u64>,
    ) -> (Result<Permit<'_>, Option<Instant>>, Option<Change>) {
        let word = self.load();
        let mut change = None;
        match word.phase() {
            Phase::Closed | Phase::Disabled => return (Ok(Permit { breaker: self, word }), None),
            Phase::ForcedOpen => return (Err(None), None),
            Phase::Open if now < self.shut_until() => return (Err(Some(self.shut_until())), None),
            Phase::Open => {
                recovery.begin();
                self.publish(recovery, Phase::HalfOpen, now);
                change = Some(Change::HalfOpen);
            }
            Phase::HalfOpen => {}
        }
        let settings = self.settings.get();
        let lease = lease.unwrap_or(settings.max_recovery_timeout);
        let probe = recovery.admit(now, lease, settings.half_open_calls);
        self.shut(recovery.shut_until(settings.half_open_calls));
        let permit = probe.map(|probe| Permit { breaker: self, word: self.load().with_failures(probe) });
        (permit.ok_or_else(|| Some(self.shut_until())), change)
    }

    /// Whether a call that asked now would be refused.
    pub(crate) fn is_refusing(&self, now: Instant) -> bool {
        match self.load().phase() {
            Phase::Closed | Phase::Disabled => false,
            Phase::ForcedOpen => true,
            Phase::Open | Phase::HalfOpen => now < self.shut_until(),
        }
    }

    /// Whether it knows nothing that a new one would not, as long as no call holds a permit.
    pub(crate) fn is_clean(&self) -> bool {
        let word = self.load();
        word.phase() == Phase::Closed && word.failures() == 0
    }

    #[cfg(test)]
    pub(crate) fn hold_lock(&self) -> impl Sized {
        lock(&self.recovery)
    }

    #[inline]
    fn load(&self) -> Word {
        Word::from_bits(self.word.load(Ordering::Acquire))
    }

    fn shut_until(&self) -> Instant {
        Instant::from_nanos(self.shut_until.load(Ordering::Acquire))
    }

    fn shut(&self, until: Instant) {
        self.shut_until.swap(until.as_nanos(), Ordering::AcqRel);
    }

    /// The moment goes first, so that whoever sees the phase sees it too; the lock keeps publishers apart.
    fn publish(&self, _held: &Recovery, phase: Phase, shut_until: Instant) {
        self.shut(shut_until);
        self.word.swap(self.load().next(phase).bits(), Ordering::AcqRel);
    }

    fn tell(&self, change: Option<Change>) {
        if let Some(change) = change {
            events::breaker_changed(self.name, change);
        }
    }

    #[cold]
    fn succeeded(&self, word: Word) {
        let Some(probe) = word.probe() else {
            self.count(word, |_| Some(0));
            return;
        };
        let mut recovery = lock(&self.recovery);
        let change = self.probe_succeeded(&mut recovery, word, probe);
        drop(recovery);
        self.tell(change);
    }

    fn probe_succeeded(&self, recovery: &mut MutexGuard<'_, Recovery>, word: Word, probe: u32) -> Option<Change> {
        if !self.load().is_same_generation(word) || !recovery.finish(probe) {
            return None;
        }
        let settings = self.settings.get();
        if recovery.count_success() < settings.success_threshold {
            self.shut(recovery.shut_until(settings.half_open_calls));
            return None;
        }
        **recovery = Recovery::default();
        self.publish(recovery, Phase::Closed, Instant::from_nanos(0));
        Some(Change::Closed)
    }

    #[cold]
    fn failed(&self, word: Word, now: Instant, random: u64) {
        if !word.is_of_probe() {
            let threshold = self.settings.get().failure_threshold;
            let counted = self.count(word, |failures| Some(failures.saturating_add(1)));
            if counted.is_none_or(|failures| failures < threshold) {
                return;
            }
        }
        let mut recovery = lock(&self.recovery);
        let change = self.open(&mut recovery, word, now, random);
        drop(recovery);
        self.tell(change);
    }

    fn open(&self, recovery: &mut Recovery, word: Word, now: Instant, random: u64) -> Option<Change> {
        let current = self.load();
        if !current.is_same_generation(word) || word.probe().is_some_and(|probe| !recovery.finish(probe)) {
            return None;
        }
        let open_for = recovery.open_for(self.settings.get(), random);
        self.publish(recovery, Phase::Open, now.plus(open_for));
        Some(Change::Opened { failures: current.failures().max(1), open_for })
    }

    /// Changes the number of consecutive failures of that generation; the new number, or `None` if nothing was to change.
    fn count(&self, word: Word, change: impl Fn(u32) -> Option<u32>) -> Option<u32> {
        let mut current = self.load();
        loop {
            if !current.is_same_generation(word) || current.phase() != Phase::Closed {
                return None;
            }
            let failures = change(current.failures())?;
            let next = current.with_failures(failures).bits();
            match self.word.compare_exchange_weak(current.bits(), next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(failures),
                Err(actual) => current = Word::from_bits(actual),
            }
        }
    }

    #[cold]
    fn give_back(&self, word: Word, probe: u32, until: Option<Instant>) {
        let mut recovery = lock(&self.recovery);
        if !self.load().is_same_generation(word) {
            return;
        }
        match until {
            Some(until) => recovery.hold(probe, until),
            None => recovery.abandon(probe),
        }
        self.shut(recovery.shut_until(self.settings.get().half_open_calls));
    }
}

impl Permit<'_> {
    /// The service answered; the permit is spent with it.
    #[inline]
    pub(crate) fn succeed(&self) {
        if self.word.phase() != Phase::Closed || Word::from_bits(self.breaker.word.load(Ordering::Relaxed)).failures() != 0 {
            self.breaker.succeeded(self.word);
        }
    }

    /// The service failed.
    pub(crate) fn fail(self, now: Instant, random: u64) {
        self.breaker.failed(self.word, now, random);
        std::mem::forget(self);
    }

    /// The service asked us to stay away: a probe keeps its place until then.
    pub(crate) fn hold(self, until: Instant) {
        if let Some(probe) = self.word.probe() {
            self.breaker.give_back(self.word, probe, Some(until));
        }
        std::mem::forget(self);
    }
}

impl Drop for Permit<'_> {
    #[cold]
    fn drop(&mut self) {
        if let Some(probe) = self.word.probe() {
            self.breaker.give_back(self.word, probe, None);
        }
    }
}

#[cfg(test)]
mod tests;
