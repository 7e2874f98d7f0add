//! For tests: clocks that are turned by hand, waits that take no time, fewer attempts, and outcomes from a script.
//!
//! Everything here is for the thread that asks for it, until its guard is dropped, and leaves tests that run beside it alone. Guards
//! may be dropped in any order: of each kind the latest that is still there counts. Another thread takes part through a [`handle`],
//! or a clock's own. Tasks belong to the thread that polls them, which is the test's own under `#[tokio::test]` as it is by default.

use crate::clock::nanos;
use crate::random;
use crate::sync::Ordering;
use crate::wishes::{Guard, Hands, Waits, Wish, all};
use std::sync::Arc;
use std::time::Duration;

pub use crate::script::Scripted;
pub use script::{Script, script};

mod script;

/// A clock that stands still until it is turned, for this thread and those that [`enter`](TurnedClock::enter) it.
///
/// A wait on such a thread turns it by the time waited and returns at once, so an hour of backoff takes no time. Async tests need only
/// tokio's `start_paused`.
///
/// ```
/// # use resilient_runtime as resilient;
/// use resilient::testing::TurnedClock;
/// use resilient::{Jitter, Policy};
/// use std::time::Duration;
///
/// let clock = TurnedClock::start();
/// let policy = Policy::builder().retries(2).jitter(Jitter::None).build()?;
/// let result: Result<(), std::io::Error> = policy.run(|| Err(std::io::ErrorKind::TimedOut.into()));
/// assert!(result.is_err());
/// assert_eq!(clock.waits(), [Duration::from_millis(100), Duration::from_millis(200)]);
/// # Ok::<(), resilient::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct TurnedClock {
    hands: &'static Hands,
    _guard: Guard,
}

/// What another thread [enters](TurnedClock::enter).
#[derive(Clone, Copy, Debug)]
pub struct ClockHandle(&'static Hands);

/// Far enough from zero that it can be turned back by days.
const START: u64 = 1 << 50;

impl TurnedClock {
    /// Stops the clock of this thread until the value is dropped.
    #[must_use = "dropping it puts the real clock back"]
    pub fn start() -> Self {
        // Leaked, so that reading the clock needs no count of its users; a test process is short.
        Self::enter(ClockHandle(Box::leak(Box::new(Hands::new(START)))))
    }

    /// For [`enter`](Self::enter) in another thread.
    #[must_use]
    pub fn handle(&self) -> ClockHandle {
        ClockHandle(self.hands)
    }

    /// Puts this thread under a clock that another thread started, until the value is dropped.
    #[must_use = "dropping it puts the real clock back"]
    pub fn enter(ClockHandle(hands): ClockHandle) -> Self {
        Self { hands, _guard: Guard::new(Wish::Clock(hands)) }
    }

    /// Turns it forward, to 30 years at most. There a sync call panics that has to wait for a token or a place, as it would wait for
    /// ever.
    pub fn advance(&self, time: Duration) {
        self.hands.advance(nanos(time));
    }

    /// Turns it back, as no good clock does: to show that nothing breaks.
    pub fn turn_back(&self, time: Duration) {
        self.hands.turn_back(nanos(time));
    }

    /// How far it has been turned.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.hands.nanos.load(Ordering::Relaxed).saturating_sub(START))
    }

    /// The waits that code under it has made, in order.
    #[must_use]
    pub fn waits(&self) -> Vec<Duration> {
        self.hands.waits.list()
    }
}

/// Jitter that repeats itself: see [`seeded_jitter`].
#[derive(Debug)]
pub struct SeededJitter(());

/// Draws the jitter of this thread from a seed until the value is dropped, so that a test's waits are the same in every run.
///
/// ```
/// # use resilient_runtime as resilient;
/// use resilient::testing::{TurnedClock, seeded_jitter};
/// use resilient::Policy;
///
/// let policy = Policy::builder().retries(3).build()?;
/// let waits = || {
///     let (clock, _seeded) = (TurnedClock::start(), seeded_jitter(7));
///     let result: Result<(), std::io::Error> = policy.run(|| Err(std::io::ErrorKind::TimedOut.into()));
///     assert!(result.is_err());
///     clock.waits()
/// };
/// assert_eq!(waits(), waits());
/// # Ok::<(), resilient::ConfigError>(())
/// ```
#[must_use = "dropping it ends it"]
pub fn seeded_jitter(seed: u64) -> SeededJitter {
    random::start_from(Some(seed));
    SeededJitter(())
}

impl Drop for SeededJitter {
    fn drop(&mut self) {
        random::start_from(None);
    }
}

/// Waits that are over at once: see [`without_waits`].
#[derive(Debug)]
pub struct SkippedWaits {
    waits: Arc<Waits>,
    _guard: Guard,
}

/// Makes every wait of calls on this thread take no time, sync and async, while the clock goes on as it does.
///
/// These are the waits between attempts, however long a server asks for, and those for a token. No time passes in them, so they bring no
/// deadline nearer, close no circuit and fill no bucket; a call that skips its wait for a token takes none. What would be refused
/// because the wait is too long (`max_wait`, `max_retry_after`, the deadline) is refused as usual.
///
/// Waiting for a place in a bulkhead is waiting for another call. A sync call waits no time for it and is refused, unless its
/// `max_wait` is `none`; an async call waits, so that the others can finish.
///
/// It goes before a [`TurnedClock`], whose time these waits leave as it is.
///
/// ```
/// # use resilient_runtime as resilient;
/// use resilient::{Jitter, Policy, testing};
/// use std::time::Duration;
///
/// let skipped = testing::without_waits();
/// let hour = Duration::from_secs(3600);
/// let policy = Policy::builder().retries(2).base_delay(hour).max_delay(hour).jitter(Jitter::None).build()?;
/// let result: Result<(), std::io::Error> = policy.run(|| Err(std::io::ErrorKind::TimedOut.into()));
/// assert!(result.is_err());
/// assert_eq!(skipped.waits(), [hour, hour]);
/// # Ok::<(), resilient::ConfigError>(())
/// ```
#[must_use = "dropping it brings the waits back"]
pub fn without_waits() -> SkippedWaits {
    let waits = Arc::new(Waits::default());
    SkippedWaits { waits: Arc::clone(&waits), _guard: Guard::new(Wish::NoWaits(waits)) }
}

impl SkippedWaits {
    /// The waits that were skipped, in order.
    #[must_use]
    pub fn waits(&self) -> Vec<Duration> {
        self.waits.list()
    }
}

/// Fewer attempts: see [`cap_attempts`].
#[derive(Debug)]
pub struct CappedAttempts {
    _guard: Guard,
}

/// Lets no call on this thread make more than so many attempts, whatever its `retries`; 1 is no retries. Of several caps the lowest
/// counts.
///
/// ```
/// # use resilient_runtime as resilient;
/// use resilient::{Policy, testing};
///
/// let _cap = testing::cap_attempts(1);
/// let mut attempts = 0;
/// let result = Policy::builder().retries(9).build()?.run(|| {
///     attempts += 1;
///     Err::<(), std::io::Error>(std::io::ErrorKind::TimedOut.into())
/// });
/// assert!(result.is_err());
/// assert_eq!(attempts, 1);
/// # Ok::<(), resilient::ConfigError>(())
/// ```
///
/// # Panics
///
/// If it is 0: a call makes at least one attempt.
#[must_use = "dropping it lifts the cap"]
pub fn cap_attempts(attempts: u32) -> CappedAttempts {
    assert!(attempts > 0, "`testing::cap_attempts(0)`: a call makes at least one attempt");
    CappedAttempts { _guard: Guard::new(Wish::Attempts(attempts)) }
}

/// Everything that is wanted on a thread, for another one.
#[derive(Clone, Debug)]
pub struct Handle(Vec<Wish>);

/// Another thread's wishes on this one, until it is dropped.
#[derive(Debug)]
pub struct Entered {
    _guards: Vec<Guard>,
}

/// What this thread's guards ask for, clocks included, for another thread to [enter](Handle::enter).
///
/// ```
/// # use resilient_runtime as resilient;
/// use resilient::{Policy, testing};
///
/// let skipped = testing::without_waits();
/// let here = testing::handle();
/// let worker = std::thread::spawn(move || {
///     let _entered = here.enter();
///     let policy = Policy::builder().retries(1).build()?;
///     let _ = policy.run(|| Err::<(), std::io::Error>(std::io::ErrorKind::TimedOut.into()));
///     Ok::<(), resilient::ConfigError>(())
/// });
/// worker.join().unwrap()?;
/// assert_eq!(skipped.waits().len(), 1);
/// # Ok::<(), resilient::ConfigError>(())
/// ```
#[must_use]
pub fn handle() -> Handle {
    Handle(all())
}

impl Handle {
    /// Wants the same on this thread, until the value is dropped.
    #[must_use = "dropping it leaves again"]
    pub fn enter(&self) -> Entered {
        Entered { _guards: self.0.iter().cloned().map(Guard::new).collect() }
    }
}
