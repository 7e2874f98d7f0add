//! Turning the clock by hand, for tests of sync code. Async tests need only tokio's `start_paused`.

use crate::clock::turned::{Hands, replace};
use crate::sync::{Mutex, lock};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A clock that stands still until it is turned, for this thread and those that [`enter`](TurnedClock::enter) it.
///
/// A wait on such a thread turns it by the time waited and returns at once, so an hour of backoff takes no time.
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
    before: Option<&'static Hands>,
    /// The guard puts back what its own thread had.
    _stays_in_its_thread: PhantomData<*const ()>,
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
        let hands = Box::leak(Box::new(Hands { nanos: AtomicU64::new(START), waits: Mutex::new(Vec::new()) }));
        Self::enter(ClockHandle(hands))
    }

    /// For [`enter`](Self::enter) in another thread.
    #[must_use]
    pub fn handle(&self) -> ClockHandle {
        ClockHandle(self.hands)
    }

    /// Puts this thread under a clock that another thread started, until the value is dropped.
    #[must_use = "dropping it puts the real clock back"]
    pub fn enter(ClockHandle(hands): ClockHandle) -> Self {
        Self { hands, before: replace(Some(hands)), _stays_in_its_thread: PhantomData }
    }

    /// Turns it forward, to 30 years at most.
    pub fn advance(&self, time: Duration) {
        self.hands.advance(crate::clock::nanos(time));
    }

    /// Turns it back, as no good clock does: to show that nothing breaks.
    pub fn turn_back(&self, time: Duration) {
        self.hands.turn_back(crate::clock::nanos(time));
    }

    /// How far it has been turned.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.hands.nanos.load(Ordering::Relaxed).saturating_sub(START))
    }

    /// The waits that code under it has made, in order.
    #[must_use]
    pub fn waits(&self) -> Vec<Duration> {
        lock(&self.hands.waits).clone()
    }
}

impl Drop for TurnedClock {
    fn drop(&mut self) {
        replace(self.before);
    }
}
