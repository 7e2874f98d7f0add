//! The circuit breaker, with every outcome in a list.

use crate::event::Event;
use crate::flaw::Flaw;
use crate::{Told, Undecided};

/// No lease grows beyond this by running out.
const LONGEST_GROWN_LEASE: u64 = 3_600_000_000_000;

const IN_A_ROW: &str = "failures in a row";

/// What the ratios are taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// So many calls.
    Calls(u32),
    /// So many nanoseconds.
    Time(u64),
}

/// The settings, with the defaults filled in; times in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Failures in a row that open it, if they do.
    pub failure_threshold: Option<u32>,
    /// The share of failures that opens it, in hundredths.
    pub failure_percent: Option<u32>,
    /// What takes longer is slow, and the share of slow calls that opens it, in hundredths.
    pub slow: Option<(u64, u32)>,
    /// What shares are taken over.
    pub window: Window,
    /// What the window must hold before a share counts.
    pub minimum_calls: u32,
    /// How long it stays open at first.
    pub recovery_timeout: u64,
    /// How long at most.
    pub max_recovery_timeout: u64,
    /// Probes at a time.
    pub half_open_calls: u32,
    /// Successful probes that close it.
    pub success_threshold: u32,
    /// Whether it refuses nothing.
    pub shadow: bool,
}

impl Settings {
    const fn is_windowed(&self) -> bool {
        self.failure_percent.is_some() || self.slow.is_some()
    }

    fn counts_like(&self, other: &Self) -> bool {
        match (self.is_windowed(), other.is_windowed()) {
            (true, true) => self.window == other.window && self.slow.is_some() == other.slow.is_some(),
            (one, another) => one == another,
        }
    }
}

/// What it would do with the next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Admits and counts.
    Closed,
    /// Refuses.
    Open,
    /// Admits a few.
    HalfOpen,
    /// Refuses until it is reset.
    ForcedOpen,
    /// Admits until it is reset.
    Disabled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Closed,
    /// Until a moment that is drawn at random, and known from what the library tells.
    Open {
        earliest: u64,
        latest: u64,
    },
    HalfOpen,
    ForcedOpen,
    Disabled,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    slice: u64,
    is_failure: bool,
    is_slow: bool,
}

#[derive(Clone, Copy, Debug)]
struct Probe {
    number: u64,
    lease_ends: u64,
    /// Its call is over, and the service asked us to stay away.
    is_held: bool,
}

/// The right to make one call.
#[derive(Clone, Copy, Debug)]
pub struct Permit {
    generation: u64,
    probe: Option<u64>,
    /// It would have been refused, were the breaker not in shadow.
    is_excused: bool,
}

impl Permit {
    /// Whether it would have been refused, were the breaker not in shadow.
    #[must_use]
    pub const fn is_excused(&self) -> bool {
        self.is_excused
    }
}

/// What became of an attempt, as far as a breaker cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Result {
    /// The service answered.
    Success,
    /// It did not.
    Failure,
    /// Nothing is known.
    Neutral,
    /// It asked us to stay away until then.
    Throttled(u64),
}

/// A circuit breaker.
#[derive(Clone, Debug)]
pub struct Breaker {
    /// What holds now.
    pub settings: Settings,
    flaw: Option<Flaw>,
    phase: Phase,
    generation: u64,
    is_shadowed: bool,
    in_a_row: u32,
    seen: Vec<Seen>,
    newest_slice: u64,
    trips: u32,
    successes: u32,
    hung: u32,
    last_probe: u64,
    probes: Vec<Probe>,
    told: Vec<Event>,
}

impl Breaker {
    /// A closed one.
    #[must_use]
    pub fn new(settings: Settings, flaw: Option<Flaw>) -> Self {
        Self {
            settings,
            flaw,
            phase: Phase::Closed,
            generation: 0,
            is_shadowed: false,
            in_a_row: 0,
            seen: Vec::new(),
            newest_slice: 0,
            trips: 0,
            successes: 0,
            hung: 0,
            last_probe: 0,
            probes: Vec::new(),
            told: Vec::new(),
        }
    }

    /// What it has told since it was last asked.
    pub fn take_told(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.told)
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.generation += 1;
        self.in_a_row = 0;
        self.seen.clear();
        self.newest_slice = 0;
    }

    /// Takes new settings and keeps the state.
    pub fn change(&mut self, settings: Settings) {
        let is_new_window = !self.settings.counts_like(&settings);
        self.settings = settings;
        if is_new_window && self.phase == Phase::Closed {
            let in_a_row = self.in_a_row;
            self.enter(Phase::Closed);
            self.in_a_row = in_a_row;
        }
    }

    fn force(&mut self, phase: Phase) {
        self.is_shadowed = false;
        (self.trips, self.successes, self.hung) = (0, 0, 0);
        self.probes.clear();
        self.enter(phase);
    }

    /// Refuses everything.
    pub fn force_open(&mut self) {
        if self.phase != Phase::ForcedOpen {
            self.told.push(Event::ForcedOpen);
        }
        self.force(Phase::ForcedOpen);
    }

    /// Admits everything and counts nothing.
    pub fn disable(&mut self) {
        if self.phase != Phase::Disabled {
            self.told.push(Event::Disabled);
        }
        self.force(Phase::Disabled);
    }

    /// Closed, and nothing counted.
    pub fn reset(&mut self, now: u64) {
        let is_new = self.phase == Phase::Closed && !self.is_shadowed && self.in_a_row == 0 && self.seen.is_empty();
        if !is_new || self.has(Flaw::ResetIsAlwaysTold) {
            let slides = matches!(self.settings.window, Window::Time(_));
            let is_forgotten = slides && self.in_a_row == 0 && self.counts(now).0 == 0;
            let is_sure = self.phase != Phase::Closed || self.is_shadowed || !is_forgotten || is_new;
            self.told.push(Event::Reset { is_sure });
        }
        self.force(Phase::Closed);
    }

    /// Refuses nothing, and goes on.
    pub fn shadow(&mut self) {
        let is_forced = matches!(self.phase, Phase::ForcedOpen | Phase::Disabled);
        if is_forced {
            self.enter(Phase::Closed);
        }
        if is_forced || !self.is_shadowed {
            self.told.push(Event::Shadowed);
        }
        self.is_shadowed = true;
    }

    /// Whether it refuses nothing.
    #[must_use]
    pub fn is_shadow(&self) -> bool {
        let is_forced = matches!(self.phase, Phase::ForcedOpen | Phase::Disabled);
        (self.is_shadowed || self.settings.shadow) && !is_forced
    }

    /// Failures in a row.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.in_a_row
    }

    fn is_shut(&self, now: u64) -> std::result::Result<bool, Undecided> {
        match self.phase {
            Phase::Open { earliest, .. } if now < earliest => Ok(true),
            Phase::Open { latest, .. } if now < latest => Err(Undecided),
            _ => Ok(false),
        }
    }

    /// What it would do with the next call.
    ///
    /// # Errors
    ///
    /// Chance has decided, and nothing has told how.
    pub fn state(&self, now: u64) -> std::result::Result<State, Undecided> {
        Ok(match self.phase {
            Phase::Closed => State::Closed,
            Phase::Open { .. } if self.is_shut(now)? => State::Open,
            Phase::Open { .. } | Phase::HalfOpen => State::HalfOpen,
            Phase::ForcedOpen => State::ForcedOpen,
            Phase::Disabled => State::Disabled,
        })
    }

    /// The library's word on the moment that only chance knows.
    pub fn learn_state(&mut self, now: u64, is_open: bool) {
        if let Phase::Open { earliest, latest } = &mut self.phase
            && *earliest <= now
            && now < *latest
        {
            *(if is_open { earliest } else { latest }) = if is_open { now + 1 } else { now };
        }
    }

    /// The same, exactly.
    pub fn learn_end(&mut self, end: u64) {
        if let Phase::Open { earliest, latest } = &mut self.phase
            && (*earliest..=*latest).contains(&end)
        {
            (*earliest, *latest) = (end, end);
        }
    }

    /// Calls, failures and slow calls in the window.
    #[must_use]
    pub fn counts(&self, now: u64) -> (u64, u64, u64) {
        if self.phase != Phase::Closed || !self.settings.is_windowed() {
            return (0, 0, 0);
        }
        let held = self.held(now);
        let count = |is: fn(&Seen) -> bool| held.iter().filter(|seen| is(seen)).count() as u64;
        (count(|_| true), count(|seen| seen.is_failure), count(|seen| seen.is_slow))
    }

    fn held(&self, now: u64) -> Vec<Seen> {
        match self.settings.window {
            Window::Calls(size) => {
                let size = size as usize - usize::from(self.has(Flaw::WindowOneShort) && size > 1);
                self.seen[self.seen.len().saturating_sub(size)..].to_vec()
            }
            Window::Time(_) => {
                let slices = if self.has(Flaw::WindowOneSliceShort) { 9 } else { 10 };
                let newest = self.newest_slice.max(self.slice(now));
                self.seen.iter().filter(|seen| seen.slice + slices > newest).copied().collect()
            }
        }
    }

    fn slice(&self, now: u64) -> u64 {
        if let Window::Time(time) = self.settings.window { now / (time / 10) } else { 0 }
    }

    /// Asks for the right to make a call, or when to come back.
    ///
    /// # Errors
    ///
    /// Chance has decided, and nothing has told how.
    pub fn ask(&mut self, now: u64, lease: u64) -> std::result::Result<std::result::Result<Permit, Told>, Undecided> {
        let asked = self.ask_unshadowed(now, lease)?;
        let is_excused = asked.is_err() && self.is_shadow() && !self.has(Flaw::ShadowRefuses);
        Ok(if is_excused { Ok(Permit { generation: self.generation, probe: None, is_excused: true }) } else { asked })
    }

    fn ask_unshadowed(&mut self, now: u64, lease: u64) -> std::result::Result<std::result::Result<Permit, Told>, Undecided> {
        match self.phase {
            Phase::Closed | Phase::Disabled => {
                return Ok(Ok(Permit { generation: self.generation, probe: None, is_excused: false }));
            }
            Phase::ForcedOpen => return Ok(Err(Told::Nothing)),
            Phase::Open { earliest, latest } if self.is_shut(now)? => {
                return Ok(Err(Told::Within(earliest.saturating_sub(now).max(1), latest - now)));
            }
            Phase::Open { .. } => {
                self.enter(Phase::HalfOpen);
                self.probes.clear();
                (self.successes, self.hung) = (0, 0);
                self.told.push(Event::HalfOpen(self.is_shadow()));
            }
            Phase::HalfOpen => {}
        }
        Ok(self.probe(now, lease))
    }

    fn probe(&mut self, now: u64, lease: u64) -> std::result::Result<Permit, Told> {
        if !self.has(Flaw::LeaseNeverEnds) {
            let hung = self.probes.iter().filter(|probe| probe.lease_ends <= now && !probe.is_held).count();
            self.hung += u32::try_from(hung).unwrap_or(u32::MAX);
            self.probes.retain(|probe| probe.lease_ends > now);
        }
        let places = self.settings.half_open_calls as usize + usize::from(self.has(Flaw::OneProbeTooMany));
        if self.probes.len() >= places {
            let first = self.probes.iter().map(|probe| probe.lease_ends).min().unwrap_or(now);
            return Err(Told::Exactly(first.saturating_sub(now).max(1)));
        }
        let grown = if self.has(Flaw::LeaseDoesNotGrow) { 0 } else { self.hung };
        let lease = doubled(lease, grown).min(LONGEST_GROWN_LEASE.max(lease));
        self.last_probe += 1;
        self.probes.push(Probe { number: self.last_probe, lease_ends: now.saturating_add(lease), is_held: false });
        Ok(Permit { generation: self.generation, probe: Some(self.last_probe), is_excused: false })
    }

    /// Whether a retry would be refused.
    ///
    /// # Errors
    ///
    /// Chance has decided, and nothing has told how.
    pub fn is_refusing(&self, now: u64) -> std::result::Result<bool, Undecided> {
        Ok(match self.phase {
            Phase::Closed | Phase::Disabled => false,
            Phase::ForcedOpen => true,
            _ if self.is_shadow() => false,
            Phase::Open { .. } => self.is_shut(now)?,
            Phase::HalfOpen => {
                let are_all_taken = self.probes.len() >= self.settings.half_open_calls as usize;
                are_all_taken && self.probes.iter().all(|probe| probe.lease_ends > now)
            }
        })
    }

    /// Whether a call needs to look at nothing but that it is closed.
    #[must_use]
    pub fn is_plainly_closed(&self) -> bool {
        self.phase == Phase::Closed && self.settings.slow.is_none()
    }

    /// Takes what became of an attempt whose body ran from `started` until `now`.
    pub fn settle(&mut self, permit: Permit, result: Result, started: u64, now: u64) {
        let is_late = permit.generation != self.generation && !self.has(Flaw::LateResultsCount);
        if is_late || permit.is_excused {
            return;
        }
        let result = match result {
            Result::Neutral if self.has(Flaw::NeutralIsSuccess) => Result::Success,
            Result::Throttled(_) if self.has(Flaw::ThrottledProbeGivesBack) => Result::Neutral,
            result => result,
        };
        match (self.phase, result) {
            (Phase::HalfOpen, Result::Neutral) => self.probes.retain(|probe| Some(probe.number) != permit.probe),
            (Phase::HalfOpen, Result::Throttled(until)) => self.hold(permit, until),
            (Phase::HalfOpen, result) => self.settle_probe(permit, result == Result::Failure, started, now),
            (Phase::Closed, Result::Success | Result::Failure) => self.count(result == Result::Failure, started, now),
            _ => {}
        }
    }

    /// A call that ended without a word.
    pub fn cancel(&mut self, permit: Permit, now: u64) {
        if !self.has(Flaw::CancelledProbeKeepsItsPlace) {
            self.settle(permit, Result::Neutral, now, now);
        }
    }

    fn hold(&mut self, permit: Permit, until: u64) {
        for probe in self.probes.iter_mut().filter(|probe| Some(probe.number) == permit.probe) {
            (probe.lease_ends, probe.is_held) = (until, true);
        }
    }

    fn is_slow(&self, started: u64, now: u64) -> bool {
        let later = u64::from(self.has(Flaw::SlowOneLater));
        self.settings.slow.is_some_and(|(duration, _)| now.saturating_sub(started) > duration + later)
    }

    fn settle_probe(&mut self, permit: Permit, is_failure: bool, started: u64, now: u64) {
        let before = self.probes.len();
        self.probes.retain(|probe| Some(probe.number) != permit.probe);
        if self.probes.len() == before {
            return;
        }
        let is_slow = self.is_slow(started, now);
        if is_failure || is_slow {
            let reason = if is_failure { "a failed probe" } else { "a slow probe" };
            return self.open(now, reason, (1, u64::from(is_failure), u64::from(is_slow)));
        }
        self.successes += 1;
        if self.successes + u32::from(self.has(Flaw::ClosesOneEarly)) >= self.settings.success_threshold {
            (self.trips, self.successes, self.hung) = (0, 0, 0);
            self.probes.clear();
            self.enter(Phase::Closed);
            self.told.push(Event::Closed(self.is_shadow()));
        }
    }

    fn count(&mut self, is_failure: bool, started: u64, now: u64) {
        let is_slow = self.is_slow(started, now);
        if is_failure {
            self.in_a_row += 1;
        } else if !self.has(Flaw::RowOutlivesSuccess) {
            self.in_a_row = 0;
        }
        if self.settings.is_windowed() {
            self.newest_slice = self.newest_slice.max(self.slice(now));
            self.seen.push(Seen { slice: self.newest_slice, is_failure, is_slow });
        }
        if (is_failure || is_slow)
            && let Some(reason) = self.why_too_much(is_failure, now)
        {
            let (calls, failures, slow_calls) = self.counts(now);
            let in_a_row = if reason == IN_A_ROW { u64::from(self.in_a_row) } else { 0 };
            self.open(now, reason, (calls, failures.max(in_a_row), slow_calls));
        }
    }

    fn why_too_much(&self, is_failure: bool, now: u64) -> Option<&'static str> {
        let more = u32::from(self.has(Flaw::ThresholdOneMore));
        if is_failure && self.settings.failure_threshold.is_some_and(|threshold| self.in_a_row >= threshold + more) {
            return Some(IN_A_ROW);
        }
        let (calls, failures, slow_calls) = self.counts(now);
        if !self.settings.is_windowed() || calls < u64::from(self.settings.minimum_calls) {
            return None;
        }
        let more = u64::from(self.has(Flaw::RatioMustBeExceeded));
        let reaches = |part: u64, percent: u32| part * 100 >= u64::from(percent) * calls + more;
        let is_failing = self.settings.failure_percent.is_some_and(|percent| reaches(failures, percent));
        let is_slow = self.settings.slow.is_some_and(|(_, percent)| reaches(slow_calls, percent));
        let reasons = [(is_failing, "the failure ratio"), (is_slow, "the slow call ratio")];
        let mut given = reasons.into_iter().filter_map(|(is_given, reason)| is_given.then_some(reason));
        if self.has(Flaw::SlowCallsAreToldFirst) { given.next_back() } else { given.next() }
    }

    fn open(&mut self, now: u64, reason: &'static str, counts: (u64, u64, u64)) {
        let trips = if self.has(Flaw::RecoveryDoesNotGrow) { 0 } else { self.trips };
        let longest = doubled(self.settings.recovery_timeout, trips).min(self.settings.max_recovery_timeout);
        self.trips += 1;
        self.enter(Phase::Open { earliest: now.saturating_add(longest - longest / 10), latest: now.saturating_add(longest) });
        let open_for = (longest - longest / 10, longest);
        let shadow = self.is_shadow() && !self.has(Flaw::ShadowIsNotTold);
        self.told.push(Event::Opened { reason, counts, open_for, shadow });
    }

    /// Moments at which something changes.
    #[must_use]
    pub fn moments(&self) -> Vec<u64> {
        let mut moments: Vec<u64> = self.probes.iter().map(|probe| probe.lease_ends).collect();
        if let Phase::Open { earliest, latest } = self.phase {
            moments.extend([earliest, latest]);
        }
        if let Window::Time(time) = self.settings.window {
            let slice = time / 10;
            moments.extend([(self.newest_slice + 1) * slice, (self.newest_slice + 9) * slice, (self.newest_slice + 10) * slice]);
        }
        moments
    }

    /// Whether it refuses until somebody resets it.
    #[must_use]
    pub fn is_forced_open(&self) -> bool {
        self.phase == Phase::ForcedOpen
    }
}

fn doubled(time: u64, times: u32) -> u64 {
    1_u64.checked_shl(times).map_or(u64::MAX, |factor| time.saturating_mul(factor))
}
