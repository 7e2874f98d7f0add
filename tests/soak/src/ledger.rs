//! How many bodies have started, and how many run: counted by the bodies themselves, against what was promised.

use crate::bug::Bug;
use crate::clock::Moment;
use crate::violations::{check, lock};
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

/// Bodies that take tokens of one bucket.
///
/// In any window of time T at most `burst + rate × T` may start. A body cannot know when exactly it was admitted, but between when its
/// call began and when it looks at the clock. So for a window that begins at some moment only calls are counted that began after it, and
/// the window ends when the last of them is counted: however late a thread comes to run, the bound holds, and exactly.
#[derive(Debug)]
pub(crate) struct Quota {
    name: &'static str,
    /// A caller who waits may give up, and leave the place in line to the next.
    is_given_up: bool,
    ledger: Mutex<Ledger>,
}

#[derive(Debug)]
struct Ledger {
    rate: f64,
    burst: f64,
    /// Nobody asks for tokens while configuration has switched the bucket off.
    is_on: bool,
    windows: VecDeque<Window>,
}

#[derive(Debug)]
struct Window {
    began: Moment,
    /// The largest that were in force in it.
    rate: f64,
    burst: f64,
    bodies: f64,
}

/// A place in line whose caller gave up may be had until so long after its moment, and where the rate has changed since, as long again.
const INHERITED: Duration = Duration::from_millis(20);
/// Two processors may disagree on the time, though far less than that.
const CORES_APART: Duration = Duration::from_micros(100);
/// An interval is a whole number of small fractions of a nanosecond.
const ROUNDED: f64 = 1.000_001;
const WINDOWS: usize = 24;
const APART: Duration = Duration::from_millis(150);

impl Quota {
    pub(crate) const fn new(name: &'static str) -> Self {
        let ledger = Ledger { rate: 0.0, burst: 0.0, is_on: false, windows: VecDeque::new() };
        Self { name, is_given_up: true, ledger: Mutex::new(ledger) }
    }

    /// One whose callers wait to the end, or not at all.
    pub(crate) const fn never_given_up(mut self) -> Self {
        self.is_given_up = false;
        self
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Before a configuration is installed: what is in force from some moment on.
    pub(crate) fn expect(&self, rate: f64, burst: f64) {
        let mut ledger = lock(&self.ledger);
        for window in &mut ledger.windows {
            window.rate = window.rate.max(rate);
            window.burst = window.burst.max(burst);
        }
        ledger.rate = ledger.rate.max(rate);
        ledger.burst = ledger.burst.max(burst);
    }

    /// Before a configuration is installed that switches the bucket off.
    pub(crate) fn lift(&self) {
        let mut ledger = lock(&self.ledger);
        ledger.is_on = false;
        ledger.windows.clear();
    }

    /// After a configuration was installed: what is in force now.
    pub(crate) fn settle(&self, rate: f64, burst: f64) {
        let mut ledger = lock(&self.ledger);
        (ledger.rate, ledger.burst, ledger.is_on) = (rate, burst, true);
        let now = Moment::now();
        ledger.open_window(now, self.late());
    }

    /// From now on, when nobody calls: no token is missing, and each that is taken is counted.
    pub(crate) fn open_window(&self) {
        lock(&self.ledger).open_window(Moment::now(), self.late());
    }

    /// A body has started whose call began then.
    pub(crate) fn admit(&self, began: Moment) {
        let mut ledger = lock(&self.ledger);
        let bodies = if Bug::DoubleAdmission.is_seeded() { 2.0 } else { 1.0 };
        let room = ledger.admit(self, began, bodies);
        if Bug::ExtraBurst.is_seeded() && room < ledger.burst && is_first() {
            let burst = ledger.burst;
            ledger.admit(self, began, burst);
        }
    }

    /// As if a whole burst had started once more than it may.
    pub(crate) fn seed_a_burst(&self) {
        let mut ledger = lock(&self.ledger);
        let burst = ledger.burst;
        ledger.admit(self, Moment::now(), burst);
    }

    fn late(&self) -> Duration {
        CORES_APART + if self.is_given_up { INHERITED } else { Duration::ZERO }
    }
}

/// One burst is enough.
fn is_first() -> bool {
    static WAS_SEEN: AtomicBool = AtomicBool::new(false);
    !WAS_SEEN.swap(true, Ordering::SeqCst)
}

impl Ledger {
    /// How many more might have started.
    fn admit(&mut self, quota: &Quota, began: Moment, bodies: f64) -> f64 {
        let (now, late) = (Moment::now(), quota.late());
        let mut room = f64::INFINITY;
        for window in self.windows.iter_mut().filter(|window| began.is_after(window.began)) {
            window.bodies += bodies;
            window.check(quota.name, now, late);
            room = room.min(window.room(now, late));
        }
        if self.windows.back().is_none_or(|last| now.since(last.began) > APART) {
            self.open_window(now, late);
        }
        room
    }

    /// The tightest stays, so that nothing is lost over hours: it began when the bucket was full.
    fn open_window(&mut self, began: Moment, late: Duration) {
        if !self.is_on {
            return;
        }
        if self.windows.len() >= WINDOWS {
            let rooms: Vec<_> = self.windows.iter().map(|window| window.room(began, late)).collect();
            let is_tightest = rooms[1..].iter().all(|room| rooms[0] <= *room);
            self.windows.remove(usize::from(is_tightest));
        }
        self.windows.push_back(Window { began, rate: self.rate, burst: self.burst, bodies: 0.0 });
    }
}

impl Window {
    /// How many more may start by now.
    fn room(&self, now: Moment, late: Duration) -> f64 {
        self.burst + self.rate * (now.since(self.began) + late).as_secs_f64() * ROUNDED - self.bodies
    }

    fn check(&self, name: &str, now: Moment, late: Duration) {
        let room = self.room(now, late);
        check(room >= 0.0, || {
            let Self { began, bodies, rate, burst } = self;
            let (time, most) = (now.since(*began), bodies + room);
            format!("quota of {name}: {bodies} bodies in {time:?}, where {rate} per second and a burst of {burst} allow {most:.1}")
        });
    }
}

/// Bodies that have places of one bulkhead.
///
/// Who has a place keeps it when the limit is lowered, but nobody is let in beyond it: when a body starts, there are at most as many as
/// the largest limit allows that was in force since its call began.
#[derive(Debug)]
pub(crate) struct Crowd {
    name: &'static str,
    running: AtomicU32,
    peak: AtomicU32,
    limits: Mutex<Limits>,
}

#[derive(Debug)]
struct Limits {
    now: u32,
    /// In force from some moment on.
    coming: u32,
    largest: u32,
    /// Each until when it was in force.
    earlier: Vec<(Moment, u32)>,
}

impl Limits {
    fn most_since(&self, began: Moment) -> u32 {
        let still = self.earlier.iter().rev().take_while(|(until, _)| !began.is_after(*until));
        still.fold(self.now.max(self.coming), |most, (_, limit)| most.max(*limit))
    }
}

impl Crowd {
    pub(crate) const fn new(name: &'static str) -> Self {
        let limits = Limits { now: 0, coming: 0, largest: 0, earlier: Vec::new() };
        Self { name, running: AtomicU32::new(0), peak: AtomicU32::new(0), limits: Mutex::new(limits) }
    }

    /// Before a configuration is installed: what is in force from some moment on.
    pub(crate) fn expect(&self, limit: u32) {
        let mut limits = lock(&self.limits);
        (limits.coming, limits.largest) = (limit, limits.largest.max(limit));
    }

    /// After a configuration was installed: what is in force now.
    pub(crate) fn settle(&self, limit: u32) {
        let mut limits = lock(&self.limits);
        let before = std::mem::replace(&mut limits.now, limit);
        if before != limit {
            limits.earlier.push((Moment::now(), before));
        }
    }

    /// A body has started whose call began then.
    pub(crate) fn enter(&self, began: Moment) {
        let mut running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.peak.fetch_max(running, Ordering::SeqCst);
        let limits = lock(&self.limits);
        let is_lowered = limits.now == limits.coming && limits.now < limits.largest && running == limits.now;
        running += u32::from(Bug::Crowd.is_seeded() || Bug::CrowdAfterLowering.is_seeded() && is_lowered);
        let most = limits.most_since(began);
        drop(limits);
        check(running <= most, || format!("bulkhead of {}: {running} bodies at once, where {most} are allowed", self.name));
    }

    pub(crate) fn leave(&self) {
        self.running.fetch_sub(1, Ordering::SeqCst);
    }

    pub(crate) fn running(&self) -> u32 {
        self.running.load(Ordering::SeqCst)
    }

    pub(crate) fn peak(&self) -> u32 {
        self.peak.load(Ordering::SeqCst)
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }
}
