//! The circuit breaker of one name.
//!
//! A healthy call reads one word when it starts and one when it ends. Every change of state is made under one lock, which only a
//! failing service ever takes, and is published in that word with a new generation; a permit carries the generation that admitted
//! it, so a late result changes nothing. There are no timers: the state is computed from the clock when somebody asks. What results
//! do is in `recording`.

mod count_window;
#[cfg(all(test, any(interleaved = "loom", interleaved = "shuttle")))]
pub(crate) mod loose;
mod recording;
mod recovery;
mod tally;
mod time_window;
mod word;

use crate::circuit_breaker::{CircuitBreaker, Settings};
use crate::clock::{Instant, now};
use crate::events;
use crate::latest::{Latest, Source};
use crate::random;
use crate::sync::{AtomicBool, AtomicU64, Mutex, MutexGuard, Ordering, lock, seeded};
use recovery::Recovery;
pub(crate) use tally::Cause;
pub use tally::Counts;
use tally::Tally;
use word::{Phase, Streak, Word};

/// A circuit breaker, shared by every function that names it: [`breaker`](crate::breaker).
#[derive(Debug)]
pub struct Breaker {
    is_disabled: AtomicBool,
    name: &'static str,
    word: AtomicU64,
    /// While the circuit is not closed: nobody is admitted before this moment.
    shut_until: AtomicU64,
    /// Where the window is one of time: when the slice ends that successes are counted for.
    slice_ends: AtomicU64,
    settings: Source<Settings>,
    /// Whether an operator put it in shadow; settings may do so as well.
    is_shadowed: AtomicBool,
    records: Mutex<Records>,
}

/// What changes under the lock.
#[derive(Debug)]
struct Records {
    recovery: Recovery,
    tally: Tally,
    /// Changes that nobody has been told of, each with whether it was in shadow.
    untold: Vec<(Change, bool)>,
    is_telling: bool,
}

/// Who tells of changes, until it is dropped.
struct Teller<'b>(&'b Breaker);

/// What a circuit breaker does with the next call, or would do if it were not in [shadow](Breaker::is_shadow).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Calls pass, and what becomes of them is counted.
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
    Opened { cause: Cause, counts: Counts, open_for: u64 },
    HalfOpen,
    Closed,
    ForcedOpen,
    Disabled,
    Shadowed,
    Reset,
}

/// The right to make one call; dropped without a result it gives its place back, as if it had not asked.
#[derive(Debug)]
pub(crate) struct Permit<'b> {
    breaker: &'b Breaker,
    /// As it was when the call was admitted; for a probe with its number in the place of the streak.
    word: Word,
}

/// The word that says whether a circuit is closed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circuit<'b>(&'b AtomicU64);

/// A healthy call's permit, which has nothing to give back: the generation that admitted it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pass(u32);

impl Pass {
    /// Of no breaker.
    pub(crate) const FREE: Self = Self(0);
}

static CLOSED: AtomicU64 = AtomicU64::new(Word::CLOSED.bits());
static SHUT: AtomicU64 = AtomicU64::new(Word::SHUT.bits());

impl Circuit<'_> {
    /// One that lets everybody pass.
    pub(crate) const CLOSED: Circuit<'static> = Circuit(&CLOSED);
    /// One that lets nobody pass.
    pub(crate) const SHUT: Circuit<'static> = Circuit(&SHUT);

    /// Whether it is the one that lets nobody pass.
    #[inline]
    pub(crate) fn is_shut(self) -> bool {
        std::ptr::eq(self.0, &raw const SHUT)
    }

    /// If it is closed and does not ask when the body starts.
    #[inline]
    pub(crate) fn pass(self) -> Option<Pass> {
        let word = Word::from_bits(self.0.load(Ordering::Acquire));
        word.is_plainly_closed().then_some(Pass(word.generation()))
    }

    /// Whether a success would change anything for a call that had a pass.
    #[inline]
    pub(crate) fn listens(self) -> bool {
        Word::from_bits(self.0.load(Ordering::Relaxed)).has_streak()
    }
}

impl Breaker {
    pub(crate) fn new(name: &'static str, settings: CircuitBreaker) -> Self {
        let is_disabled = !settings.is_enabled();
        Self::with(name, is_disabled, Source::own(settings.resolved()))
    }

    /// One of many that have the same settings, which each takes with [`follow`](Self::follow) once they change.
    pub(crate) fn following(name: &'static str, common: &'static Latest<Settings>) -> Self {
        Self::with(name, false, Source::common(common))
    }

    fn with(name: &'static str, is_disabled: bool, source: Source<Settings>) -> Self {
        let settings = source.get();
        Self {
            is_disabled: AtomicBool::new(is_disabled),
            name,
            word: AtomicU64::new(fresh(Word::CLOSED, settings).bits()),
            shut_until: AtomicU64::new(0),
            slice_ends: AtomicU64::new(0),
            is_shadowed: AtomicBool::new(false),
            records: Mutex::new(Records {
                recovery: Recovery::default(),
                tally: Tally::of(settings),
                untold: Vec::new(),
                is_telling: false,
            }),
            settings: source,
        }
    }

    /// Takes new settings and keeps the state. A window of another kind or size starts empty; failures in a row are kept.
    pub(crate) fn change_settings(&self, settings: CircuitBreaker) {
        self.is_disabled.swap(!settings.is_enabled(), Ordering::Relaxed);
        let settings = settings.resolved();
        let mut records = lock(&self.records);
        self.renew(&mut records, &settings, Some(settings));
    }

    /// The same for one of many: takes the settings that all have by now.
    pub(crate) fn follow(&self) {
        let mut records = lock(&self.records);
        self.renew(&mut records, self.settings.newest(), None);
    }

    fn renew(&self, records: &mut Records, settings: &Settings, own: Option<Settings>) {
        let before = self.settings.get();
        if before == settings {
            return;
        }
        let is_new_window = !before.counts_like(settings);
        self.settings.renew(own);
        let word = self.load();
        if is_new_window && word.phase() == Phase::Closed {
            records.tally = Tally::of(self.settings.get());
            let next = if seeded!("a new window goes on as the old one") { word } else { word.next(Phase::Closed) };
            let next = fresh(next, self.settings.get());
            let failures = Some(word.failures()).filter(|failures| *failures > 0).map(Streak::Failures);
            self.replace(failures.map_or(next, |failures| next.with_streak(failures)));
        }
        if word.phase() == Phase::HalfOpen && !seeded!("a new place is not told of") {
            self.shut(records.recovery.shut_until(self.settings.get().half_open_calls));
        }
    }

    /// Whether configuration has not switched it off; asked when a plan is made.
    pub(crate) fn is_enabled(&self) -> bool {
        !self.is_disabled.load(Ordering::Relaxed)
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

    /// Whether it refuses nothing, because of its settings or since [`shadow`](Self::shadow); what `state` says is then what it would
    /// do. One that is forced open or disabled is not in shadow.
    #[must_use]
    pub fn is_shadow(&self) -> bool {
        let is_shadow = self.is_shadowed.load(Ordering::Acquire) || self.settings.get().shadow;
        is_shadow && !matches!(self.load().phase(), Phase::ForcedOpen | Phase::Disabled)
    }

    /// What its window holds: nothing unless it is closed and has a `failure_ratio` or a `slow_call_duration`. It takes the breaker's
    /// lock for a moment.
    ///
    /// ```
    /// # use resilient_runtime as resilient;
    /// use resilient::{CircuitBreaker, Policy};
    ///
    /// let half = CircuitBreaker::new().failure_ratio(0.5);
    /// let policy = Policy::builder().breaker_with("counted", half).build()?;
    /// policy.run(|| std::io::Result::Ok(())).unwrap();
    /// assert!(policy.run(|| std::io::Result::<()>::Err(std::io::ErrorKind::TimedOut.into())).is_err());
    /// let counts = resilient::breaker("counted").counts();
    /// assert_eq!((counts.calls, counts.failures), (2, 1));
    /// # Ok::<(), resilient::ConfigError>(())
    /// ```
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counted(now())
    }

    /// Failures in a row so far, while it is closed; 0 in every other state.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.load().failures()
    }

    /// Refuses every call from now on, until [`reset`](Self::reset).
    pub fn force_open(&self) {
        self.force(Phase::ForcedOpen, Change::ForcedOpen);
    }

    /// Admits every call from now on and counts nothing, until [`reset`](Self::reset).
    pub fn disable(&self) {
        self.force(Phase::Disabled, Change::Disabled);
    }

    /// Refuses nothing from now on, until [`reset`](Self::reset), but goes on counting, changing its state and telling of it, with
    /// `shadow = true` in its events: what would have been refused passes and is not counted. It keeps its state; one that was
    /// forced open or disabled is closed.
    ///
    /// ```
    /// # use resilient_runtime as resilient;
    /// use resilient::{CircuitBreaker, Policy, State, breaker};
    ///
    /// let careful = CircuitBreaker::new().failure_threshold(1);
    /// let policy = Policy::builder().breaker_with("on trial", careful).build()?;
    /// breaker("on trial").shadow();
    /// assert!(policy.run(|| std::io::Result::<()>::Err(std::io::ErrorKind::TimedOut.into())).is_err());
    /// assert_eq!(breaker("on trial").state(), State::Open);
    /// assert!(policy.run(|| std::io::Result::Ok(())).is_ok(), "it would have been refused");
    /// # Ok::<(), resilient::ConfigError>(())
    /// ```
    pub fn shadow(&self) {
        let mut records = lock(&self.records);
        let is_forced = matches!(self.load().phase(), Phase::ForcedOpen | Phase::Disabled);
        if is_forced {
            self.publish(&mut records, Phase::Closed, None);
        }
        let was_shadowed = self.is_shadowed.swap(true, Ordering::AcqRel);
        self.tell(records, (is_forced || !was_shadowed).then_some(Change::Shadowed));
    }

    /// Closes the circuit, forgets everything that was counted, and ends what [`force_open`](Self::force_open),
    /// [`disable`](Self::disable) and [`shadow`](Self::shadow) began. Results of calls admitted before change nothing.
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
        self.force(Phase::Closed, Change::Reset);
    }

    /// Told only if it changes something, so that a listener that does the same does not go round in circles.
    fn force(&self, phase: Phase, change: Change) {
        let mut records = lock(&self.records);
        let (before, was_shadowed) = (self.load(), self.is_shadowed.swap(false, Ordering::AcqRel));
        let is_fresh = phase != Phase::Closed || records.is_fresh(before, self.settings.get());
        let is_so_already = before.phase() == phase && is_fresh && !was_shadowed;
        records.recovery = Recovery::default();
        self.publish(&mut records, phase, None);
        self.tell(records, (!is_so_already).then_some(change));
        if seeded!("a reset takes the time away late") {
            self.shut(Instant::NEVER);
        }
    }

    /// All that a healthy call looks at.
    pub(crate) fn circuit(&self) -> Circuit<'_> {
        Circuit(&self.word)
    }

    /// What a pass stands for.
    pub(crate) fn permit(&self, Pass(generation): Pass) -> Permit<'_> {
        Permit { breaker: self, word: Word::closed(generation) }
    }

    /// Success of such a call.
    #[cold]
    pub(crate) fn hear(&self, Pass(generation): Pass, started: Instant) {
        self.succeeded(Word::closed(generation), started, now, random::number);
    }

    /// A permit, or when it is worth coming back. `lease` is how long a probe may take before another may try.
    #[cold]
    pub(crate) fn admit(&self, now: Instant, lease: Option<u64>) -> Result<Permit<'_>, Option<Instant>> {
        let asked = self.ask(now, lease);
        if asked.is_err() && self.is_shadow() {
            return Ok(Permit { breaker: self, word: Word::EXCUSED });
        }
        asked
    }

    fn ask(&self, now: Instant, lease: Option<u64>) -> Result<Permit<'_>, Option<Instant>> {
        let word = self.load();
        match word.phase() {
            Phase::Closed | Phase::Disabled => return Ok(Permit { breaker: self, word }),
            Phase::ForcedOpen => return Err(None),
            Phase::Open | Phase::HalfOpen if now < self.shut_until() => return Err(Some(self.shut_until())),
            _ => {}
        }
        let mut records = lock(&self.records);
        let (admitted, change) = self.probe(&mut records, now, lease);
        self.tell(records, change);
        admitted
    }

    fn probe(
        &self,
        records: &mut Records,
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
                records.recovery.begin();
                self.publish(records, Phase::HalfOpen, Some(now));
                change = Some(Change::HalfOpen);
            }
            Phase::HalfOpen => {}
        }
        let settings = self.settings.get();
        let lease = lease.unwrap_or(settings.max_recovery_timeout);
        let probe = records.recovery.admit(now, lease, settings.half_open_calls);
        self.shut(records.recovery.shut_until(settings.half_open_calls));
        let word = |probe| self.load().with_streak(Streak::Failures(probe));
        let permit = probe.map(|probe| Permit { breaker: self, word: word(probe) });
        (permit.ok_or_else(|| Some(self.shut_until())), change)
    }

    /// Whether nobody is refused, nor needs a permit that must be given back.
    #[inline]
    pub(crate) fn lets_pass(&self) -> bool {
        matches!(self.load().phase(), Phase::Closed | Phase::Disabled)
    }

    /// How much longer an open circuit refuses everybody; a half-open one has to be asked.
    #[inline]
    pub(crate) fn refuses_for(&self, now: Instant) -> Option<u64> {
        let early = seeded!("the time is read before the state").then(|| self.shut_until());
        let is_open = self.load().phase() == Phase::Open;
        let wait = early.unwrap_or_else(|| self.shut_until()).since(now);
        (is_open && wait > 0 && !self.is_shadowed.load(Ordering::Acquire) && !self.settings.get().shadow).then_some(wait)
    }

    /// Whether a call that asked now would be refused.
    pub(crate) fn is_refusing(&self, now: Instant) -> bool {
        match self.load().phase() {
            Phase::Closed | Phase::Disabled => false,
            Phase::ForcedOpen => true,
            Phase::Open | Phase::HalfOpen => now < self.shut_until() && !self.is_shadow(),
        }
    }

    /// Whether it knows nothing to anybody's disadvantage, as long as no call holds a permit: no failure and no slow call is
    /// counted, and no operator has done anything to it.
    pub(crate) fn is_clean(&self, now: Instant) -> bool {
        let word = self.load();
        if word.phase() != Phase::Closed || word.failures() > 0 || self.is_shadowed.load(Ordering::Acquire) {
            return false;
        }
        let Counts { failures, slow_calls, .. } =
            if self.settings.get().watch.is_some() { self.counted(now) } else { Counts::default() };
        failures == 0 && slow_calls == 0
    }

    /// A clean one begins anew, as it is another key's from now on.
    pub(crate) fn forget(&self) {
        let mut records = lock(&self.records);
        if !records.is_fresh(self.load(), self.settings.get()) {
            records.recovery = Recovery::default();
            self.publish(&mut records, Phase::Closed, None);
        }
    }

    #[cfg(test)]
    pub(crate) fn hold_lock(&self) -> impl Sized {
        lock(&self.records)
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

    /// The moment goes first, so that whoever sees the phase sees it too; one without a moment leaves that of the phase before to who
    /// still sees that. The lock keeps publishers apart. The window is emptied.
    fn publish(&self, records: &mut Records, phase: Phase, shut_until: Option<Instant>) {
        let next = self.load().next(phase);
        if seeded!("the time after the state") {
            self.replace(next);
        }
        let early = seeded!("the time is taken back before the state").then_some(Instant::from_nanos(0));
        if let Some(until) = shut_until.or(early) {
            self.shut(until);
        }
        if phase == Phase::Closed {
            records.tally = Tally::of(self.settings.get());
            self.replace(fresh(next, self.settings.get()));
        } else {
            records.tally = Tally::None;
            self.replace(next);
        }
    }

    fn replace(&self, word: Word) {
        self.slice_ends.swap(0, Ordering::AcqRel);
        self.word.swap(word.bits(), Ordering::AcqRel);
    }

    /// In the order in which they happened and without the lock: whoever finds somebody telling leaves its own change to them.
    fn tell(&self, mut records: MutexGuard<'_, Records>, change: Option<Change>) {
        let Some(change) = change else { return };
        if seeded!("whoever comes first tells first") {
            drop(records);
            return events::breaker_changed(self.name, change, self.is_shadow());
        }
        records.untold.push((change, self.is_shadow()));
        if std::mem::replace(&mut records.is_telling, true) {
            return;
        }
        drop(records);
        let teller = Teller(self);
        while let Some((change, is_shadow)) = teller.next() {
            events::breaker_changed(self.name, change, is_shadow);
        }
        std::mem::forget(teller);
    }

    #[cold]
    fn give_back(&self, word: Word, probe: u32, until: Option<Instant>) {
        let mut records = lock(&self.records);
        if !self.load().is_same_generation(word) {
            return;
        }
        match until.filter(|_| !seeded!("a throttled probe gives its place back")) {
            Some(until) => records.recovery.hold(probe, until),
            None => records.recovery.abandon(probe),
        }
        self.shut(records.recovery.shut_until(self.settings.get().half_open_calls));
    }
}

/// A closed circuit's word before anything is counted.
fn fresh(word: Word, settings: &Settings) -> Word {
    let Some(watch) = settings.watch else { return word };
    word.with_streak(Streak::Successes(0)).with_timed_bodies(watch.times_bodies())
}

impl Teller<'_> {
    fn next(&self) -> Option<(Change, bool)> {
        let mut records = lock(&self.0.records);
        records.is_telling = !records.untold.is_empty();
        records.is_telling.then(|| records.untold.remove(0))
    }
}

/// A listener that panics leaves the rest to the next change.
impl Drop for Teller<'_> {
    fn drop(&mut self) {
        lock(&self.0.records).is_telling = false;
    }
}

impl Records {
    /// Whether nothing was counted yet.
    fn is_fresh(&self, word: Word, settings: &Settings) -> bool {
        word.streak() == fresh(Word::CLOSED, settings).streak() && self.tally.is_empty()
    }
}

impl Permit<'_> {
    /// Whether a success would change anything.
    #[inline]
    pub(crate) fn is_told_of_success(&self) -> bool {
        !self.word.is_plainly_closed() || self.breaker.circuit().listens()
    }

    /// The service answered; the permit is spent with it. `started` is when the body did, where the breaker wants to know.
    pub(crate) fn succeed(&self, started: Instant, clock: impl FnOnce() -> Instant, random: impl FnOnce() -> u64) {
        if self.is_told_of_success() {
            self.breaker.succeeded(self.word, started, clock, random);
        }
    }

    /// The service failed.
    pub(crate) fn fail(self, started: Instant, now: Instant, random: u64) {
        self.breaker.failed(self.word, started, now, random);
        std::mem::forget(self);
    }

    /// Whether the breaker would have refused, were it not in shadow.
    pub(crate) fn is_excused(&self) -> bool {
        self.word.phase() == Phase::Disabled && self.breaker.is_shadow()
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
        if let Some(probe) = self.word.probe().filter(|_| !seeded!("a dropped probe keeps its place")) {
            self.breaker.give_back(self.word, probe, None);
        }
    }
}

#[cfg(test)]
mod tests;
