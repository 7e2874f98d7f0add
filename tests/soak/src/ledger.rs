//! How many bodies have started, and how many run: counted by the bodies themselves, against what was promised.

use crate::bug::Bug;
use crate::violations::{check, lock};
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Bodies that take tokens of one bucket.
///
/// In any window of time T at most `burst + rate × T` may start. A body cannot know when exactly it was admitted, but between when its
/// call began and when it looks at the clock. So for a window that begins at some moment only calls are counted that began after it, and
/// the window ends when the last of them is counted: however late a thread comes to run, the bound holds.
#[derive(Debug)]
pub(crate) struct Quota {
    name: &'static str,
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
    began: Instant,
    /// The largest that were in force in it.
    rate: f64,
    burst: f64,
    /// Calls that a token may be older than its body: one for the interval that a call may come late, one more for a rate's change.
    grace: f64,
    bodies: f64,
}

/// A body may start so much after its token was due, beyond one interval.
const SLACK: Duration = Duration::from_millis(10);
/// Two clocks of one machine: the kernel may slow one of them by 500 parts in a million.
const CLOCKS_APART: f64 = 1.001;
const WINDOWS: usize = 24;
const APART: Duration = Duration::from_millis(150);

impl Quota {
    pub(crate) const fn new(name: &'static str) -> Self {
        let ledger = Ledger { rate: 0.0, burst: 0.0, is_on: false, windows: VecDeque::new() };
        Self { name, ledger: Mutex::new(ledger) }
    }

    /// Before a configuration is installed: what is in force from some moment on.
    pub(crate) fn expect(&self, rate: f64, burst: f64) {
        let mut ledger = lock(&self.ledger);
        for window in &mut ledger.windows {
            let is_other = (window.rate - rate).abs() > f64::EPSILON || (window.burst - burst).abs() > f64::EPSILON;
            window.grace = if is_other { 2.0 } else { window.grace };
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
    }

    /// A body has started whose call began then.
    pub(crate) fn admit(&self, began: Instant) {
        let mut ledger = lock(&self.ledger);
        ledger.admit(self.name, began);
        if Bug::DoubleAdmission.is_seeded() {
            ledger.admit(self.name, began);
        }
    }
}

impl Ledger {
    fn admit(&mut self, name: &str, began: Instant) {
        let now = Instant::now();
        for window in self.windows.iter_mut().filter(|window| window.began <= began) {
            window.bodies += 1.0;
            window.check(name, now);
        }
        let is_due = self.windows.back().is_none_or(|last| now.duration_since(last.began) > APART);
        if self.is_on && is_due {
            // The first stays, so that nothing is lost over hours.
            if self.windows.len() >= WINDOWS {
                self.windows.remove(1);
            }
            self.windows.push_back(Window { began: now, rate: self.rate, burst: self.burst, grace: 1.0, bodies: 0.0 });
        }
    }
}

impl Window {
    fn check(&self, name: &str, now: Instant) {
        let time = now.duration_since(self.began);
        let most = self.burst + self.grace + self.rate * (time + SLACK).as_secs_f64() * CLOCKS_APART;
        check(self.bodies <= most, || {
            let Self { bodies, rate, burst, .. } = self;
            format!("quota of {name}: {bodies} bodies in {time:?}, where {rate} per second and a burst of {burst} allow {most:.1}")
        });
    }
}

/// Bodies that have places of one bulkhead.
#[derive(Debug)]
pub(crate) struct Crowd {
    name: &'static str,
    running: AtomicU32,
    peak: AtomicU32,
    /// The largest limit that was ever in force: who has a place keeps it when the limit is lowered.
    most: AtomicU32,
}

impl Crowd {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, running: AtomicU32::new(0), peak: AtomicU32::new(0), most: AtomicU32::new(0) }
    }

    /// Before a configuration is installed.
    pub(crate) fn expect(&self, limit: u32) {
        self.most.fetch_max(limit, Ordering::SeqCst);
    }

    pub(crate) fn enter(&self) {
        let extra = u32::from(Bug::Crowd.is_seeded());
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1 + extra;
        self.peak.fetch_max(running, Ordering::SeqCst);
        let most = self.most.load(Ordering::SeqCst);
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
