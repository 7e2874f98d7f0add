//! The time as the library has it: by the processor's counter, or by the standard library's clock where it is built to be tested.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// As exact as the library's own: a process has one calibration of the counter, and all share it.
static COUNTER: LazyLock<quanta::Clock> = LazyLock::new(quanta::Clock::new);

/// A moment on both clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    count: u64,
    time: Instant,
}

impl Moment {
    pub(crate) fn now() -> Self {
        Self { count: COUNTER.raw(), time: Instant::now() }
    }

    /// Whether it is later on both.
    pub(crate) fn is_after(self, earlier: Self) -> bool {
        self.count > earlier.count && self.time >= earlier.time
    }

    /// On the clock on which it was longer.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(COUNTER.delta_as_nanos(earlier.count, self.count)).max(self.time.duration_since(earlier.time))
    }
}
