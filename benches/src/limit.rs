//! The least code, written by hand for one case, that does the job: the yardstick.
//!
//! It knows its settings when it is compiled, keeps its state in statics, and has nothing to configure, to name, to list or to tell.
//! Its clock is the one that ours has, read raw: it counts in the processor's own ticks. It has no retry budget, and a late result of
//! an older time counts like any other.

use crate::configured::{BURST, PER_SECOND, RATIO, RECOVERY, THRESHOLD, WINDOW};
use crate::payment::{Outcome, PaymentError};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Sleep;

/// The clock, and what is counted in its ticks.
pub(crate) struct Ticks {
    clock: quanta::Clock,
    recovery: u64,
    interval: u64,
    slack: u64,
}

static TICKS: LazyLock<Ticks> = LazyLock::new(|| {
    let clock = quanta::Clock::new();
    let second = ticks_of_a_second(&clock);
    let interval = second / u64::from(PER_SECOND);
    Ticks { clock, recovery: second * RECOVERY.as_secs(), interval, slack: interval * (u64::from(BURST) - 1) }
});

fn ticks_of_a_second(clock: &quanta::Clock) -> u64 {
    let probe = 1 << 40;
    let nanos = u128::from(clock.delta_as_nanos(0, probe).max(1));
    u64::try_from((u128::from(probe) * 1_000_000_000).div_ceil(nanos)).unwrap_or(u64::MAX)
}

impl Ticks {
    #[inline]
    pub(crate) fn get() -> &'static Self {
        &TICKS
    }

    #[inline]
    pub(crate) fn now(&self) -> u64 {
        self.clock.raw()
    }

    #[inline]
    fn left(&self, now: u64, until: u64) -> Option<Duration> {
        (until > now).then(|| self.clock.delta(now, until))
    }
}

/// Failures in a row open it: one word, which is 0 while nothing fails, then their number, and the tick of the next probe when open.
#[derive(Debug, Default)]
pub(crate) struct Consecutive(AtomicU64);

impl Consecutive {
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }
    /// While it is open, but for one probe each time that it could recover.
    #[inline]
    pub(crate) fn admit(&self) -> Result<(), PaymentError> {
        let word = self.0.load(Ordering::Acquire);
        if word < u64::from(THRESHOLD) { Ok(()) } else { probe(&self.0, word) }
    }

    #[inline]
    pub(crate) fn succeeded(&self) {
        if self.0.load(Ordering::Relaxed) != 0 {
            self.recovered();
        }
    }

    #[cold]
    fn recovered(&self) {
        self.0.store(0, Ordering::Release);
    }

    #[cold]
    pub(crate) fn failed(&self) {
        let ticks = Ticks::get();
        let counted = |word: u64| if word + 1 < u64::from(THRESHOLD) { word + 1 } else { ticks.now() + ticks.recovery };
        let _ = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, |word| Some(counted(word)));
    }
}

/// The word is the tick from which on one call may try.
#[inline]
fn probe(word: &AtomicU64, until: u64) -> Result<(), PaymentError> {
    let ticks = Ticks::get();
    let now = ticks.now();
    if now >= until && word.compare_exchange(until, now + ticks.recovery, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
        return Ok(());
    }
    Err(PaymentError::CircuitOpen { retry_after: ticks.left(now, until) })
}

/// A share of failures among the last [`WINDOW`] calls opens it. The word is 0 while all of them were successes, [`WATCHING`] while they
/// must be counted, and the tick of the next probe when open.
#[derive(Debug)]
pub(crate) struct Ratio {
    word: AtomicU64,
    ring: Mutex<Ring>,
}

const WATCHING: u64 = 1;

#[derive(Debug)]
struct Ring {
    has_failed: [bool; WINDOW as usize],
    next: usize,
    calls: u32,
    failures: u32,
}

impl Ring {
    const EMPTY: Self = Self { has_failed: [false; WINDOW as usize], next: 0, calls: 0, failures: 0 };

    fn count(&mut self, has_failed: bool) {
        let before = std::mem::replace(&mut self.has_failed[self.next], has_failed);
        self.failures = self.failures + u32::from(has_failed) - u32::from(before);
        self.calls = (self.calls + 1).min(WINDOW);
        self.next = (self.next + 1) % WINDOW as usize;
    }
}

impl Default for Ratio {
    fn default() -> Self {
        Self::new()
    }
}

impl Ratio {
    pub(crate) const fn new() -> Self {
        Self { word: AtomicU64::new(WATCHING), ring: Mutex::new(Ring::EMPTY) }
    }
    /// While it is open, but for one probe each time that it could recover.
    #[inline]
    pub(crate) fn admit(&self) -> Result<(), PaymentError> {
        let word = self.word.load(Ordering::Acquire);
        if word <= WATCHING { Ok(()) } else { probe(&self.word, word) }
    }

    #[inline]
    pub(crate) fn succeeded(&self) {
        if self.word.load(Ordering::Relaxed) != 0 {
            self.watch(false);
        }
    }

    #[cold]
    pub(crate) fn failed(&self) {
        self.watch(true);
    }

    #[cold]
    fn watch(&self, has_failed: bool) {
        let mut ring = self.ring();
        if self.word.load(Ordering::Relaxed) > WATCHING {
            let ticks = Ticks::get();
            *ring = Ring::EMPTY;
            let word = if has_failed { ticks.now() + ticks.recovery } else { WATCHING };
            return self.word.store(word, Ordering::Release);
        }
        ring.count(has_failed);
        let is_full = ring.calls == WINDOW;
        let opens = is_full && f64::from(ring.failures) >= f64::from(WINDOW) * f64::from(RATIO);
        let word = if opens { Ticks::get().now() + Ticks::get().recovery } else { u64::from(!is_full || ring.failures > 0) };
        self.word.store(word, Ordering::Release);
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// GCRA in one word, the tick until which everything taken is paid for.
#[derive(Debug, Default)]
pub(crate) struct Bucket(AtomicU64);

impl Bucket {
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// One that is empty for a day.
    pub(crate) fn drained() -> Self {
        let ticks = Ticks::get();
        Self(AtomicU64::new(ticks.now() + ticks.slack + ticks.recovery * 2 * 60 * 24))
    }
    /// If it has no token now.
    #[inline]
    pub(crate) fn take(&self) -> Result<(), PaymentError> {
        let ticks = Ticks::get();
        let now = ticks.now();
        let mut paid = self.0.load(Ordering::Relaxed);
        loop {
            if paid > now + ticks.slack {
                return Err(PaymentError::RateLimited { retry_after: ticks.left(now, paid - ticks.slack) });
            }
            match self.0.compare_exchange_weak(paid, paid.max(now) + ticks.interval, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(actual) => paid = actual,
            }
        }
    }
}

/// How long to wait before an attempt: exponential, with full jitter.
#[cold]
pub(crate) fn backoff(retry: u32) -> Duration {
    let most = (100 << retry.min(10)).min(10_000);
    Duration::from_millis(fastrand::u64(0..=most))
}

/// How often a call is tried again.
pub(crate) const RETRIES: u32 = 3;

/// The time that each attempt has.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(2);

/// Polls the body, and a timer that is armed when the body is pending.
#[inline]
pub(crate) fn poll_within(
    body: Pin<&mut impl Future<Output = Outcome>>,
    mut alarm: Pin<&mut Option<Sleep>>,
    context: &mut Context<'_>,
) -> Poll<Outcome> {
    if let Poll::Ready(outcome) = body.poll(context) {
        return Poll::Ready(outcome);
    }
    if alarm.is_none() {
        alarm.set(Some(tokio::time::sleep(TIMEOUT)));
    }
    let expired = alarm.as_pin_mut().map(|alarm| alarm.poll(context));
    expired.unwrap_or(Poll::Pending).map(|()| Err(PaymentError::Unavailable))
}
