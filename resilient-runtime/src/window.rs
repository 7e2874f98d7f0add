//! What the ratios of a circuit breaker are taken over.

use crate::rate::Setting;
use std::time::Duration;

/// What `failure_ratio` and `slow_call_ratio` of a [`CircuitBreaker`](crate::CircuitBreaker) are taken over: the last calls, or the
/// calls of the last while.
///
/// A window of calls holds exactly the last so many outcomes, in the order in which they came in; 1 to 10⁶. A window of time is kept
/// in ten slices, so that an outcome leaves it between nine tenths of its length and the whole of it later; 10 ms to 24 h.
///
/// Failures and slow calls are counted exactly, each once, in one order, and each is followed by the decision. So are fast
/// successes, without a lock, but for two things that only shift them: one that ends in the moment of the first failure after a
/// window full of successes may count as having come before it, and one that ends while a slice is being closed may count for that
/// slice.
///
/// ```
/// # use resilient_runtime as resilient;
/// use resilient::{CircuitBreaker, Window};
/// use std::time::Duration;
///
/// static LAST_CALLS: CircuitBreaker = CircuitBreaker::new().failure_ratio(0.5).window(Window::calls(200));
/// static LAST_SECONDS: CircuitBreaker = CircuitBreaker::new().failure_ratio(0.5).window(Window::time(Duration::from_secs(30)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window(pub(crate) Extent);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    Calls(u32),
    Time(Duration),
}

const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_secs(24 * 3600);

impl Window {
    pub(crate) const DEFAULT: Self = Self::calls(100);

    /// The last calls; 1 to 10⁶. Neutral outcomes are no calls here.
    #[must_use]
    pub const fn calls(calls: u32) -> Self {
        Self(Extent::Calls(calls))
    }

    /// The calls that ended within the last while; 10 ms to 24 h.
    #[must_use]
    pub const fn time(time: Duration) -> Self {
        Self(Extent::Time(time))
    }

    pub(crate) const fn problem(self) -> Option<&'static str> {
        match self.0 {
            Extent::Calls(calls) if calls == 0 || calls > 1_000_000 => Some("`window` must be from 1 to 1000000 calls"),
            Extent::Time(time) if time.as_nanos() < SHORTEST.as_nanos() || time.as_nanos() > LONGEST.as_nanos() => {
                Some("`window` must be from 10ms to 24h")
            }
            _ => None,
        }
    }
}

/// A window given as an expression in the attribute: a number of calls, a duration, or a [`Window`].
impl Setting<Window> {
    #[must_use]
    pub const fn window(self) -> Window {
        self.0
    }
}

impl Setting<u32> {
    #[must_use]
    pub const fn window(self) -> Window {
        Window::calls(self.0)
    }
}

impl Setting<Duration> {
    #[must_use]
    pub const fn window(self) -> Window {
        Window::time(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_neither_too_small_nor_too_large() {
        for calls in [1, 2, 1_000_000] {
            assert_eq!(Window::calls(calls).problem(), None, "{calls}");
        }
        for calls in [0, 1_000_001, u32::MAX] {
            assert_eq!(Window::calls(calls).problem(), Some("`window` must be from 1 to 1000000 calls"), "{calls}");
        }
        let (shortest, longest, nano) = (Duration::from_millis(10), Duration::from_secs(86_400), Duration::from_nanos(1));
        for time in [shortest, longest] {
            assert_eq!(Window::time(time).problem(), None, "{time:?}");
        }
        for time in [Duration::ZERO, shortest.saturating_sub(nano), longest + nano, Duration::MAX] {
            assert_eq!(Window::time(time).problem(), Some("`window` must be from 10ms to 24h"), "{time:?}");
        }
    }

    #[test]
    fn an_expression_is_a_number_of_calls_or_a_time() {
        let second = Duration::from_secs(1);
        assert_eq!(Setting(7_u32).window(), Window::calls(7));
        assert_eq!(Setting(second).window(), Window::time(second));
        assert_eq!(Setting(Window::calls(9)).window(), Window::calls(9));
    }
}
