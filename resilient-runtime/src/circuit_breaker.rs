//! The settings of a circuit breaker.

use crate::clock::nanos;
use crate::keyed::max_keys_problem;
use std::time::Duration;

/// Settings of a circuit breaker, for [`configure`](crate::configure) or inside `breaker(…)`; what is not set has its default.
///
/// | setting | default | range |
/// |---|---|---|
/// | `failure_threshold` | 5 | 1 to 10⁶ |
/// | `recovery_timeout` | 5 s | above 0, at most `max_recovery_timeout` |
/// | `max_recovery_timeout` | 1 min, or `recovery_timeout` if that is longer | at least `recovery_timeout` |
/// | `half_open_calls` | 1 | 1 to 1000 |
/// | `success_threshold` | 2 | 1 to 10⁶ |
/// | `max_keys` | 10,000 | 1 to 10⁷ |
///
/// ```
/// # use resilient_runtime as resilient;
/// use resilient::CircuitBreaker;
/// use std::time::Duration;
///
/// resilient::configure()
///     .breaker("payments", CircuitBreaker::new().failure_threshold(3).recovery_timeout(Duration::from_secs(10)))
///     .install()?;
/// # Ok::<(), resilient::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CircuitBreaker {
    failure_threshold: Option<u32>,
    recovery_timeout: Option<Duration>,
    max_recovery_timeout: Option<Duration>,
    half_open_calls: Option<u32>,
    success_threshold: Option<u32>,
    max_keys: Option<u32>,
}

const DEFAULT_RECOVERY_TIMEOUT: Duration = Duration::from_secs(5);
const DEFAULT_MAX_RECOVERY_TIMEOUT: Duration = Duration::from_secs(60);

impl CircuitBreaker {
    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            failure_threshold: None,
            recovery_timeout: None,
            max_recovery_timeout: None,
            half_open_calls: None,
            success_threshold: None,
            max_keys: None,
        }
    }

    /// Consecutive failures that open the circuit.
    #[must_use]
    pub const fn failure_threshold(mut self, failures: u32) -> Self {
        self.failure_threshold = Some(failures);
        self
    }

    /// How long the circuit stays open at first, before a call may probe. Each failed recovery doubles it, up to
    /// `max_recovery_timeout`; up to a tenth is taken off at random, so that replicas do not probe together.
    #[must_use]
    pub const fn recovery_timeout(mut self, timeout: Duration) -> Self {
        self.recovery_timeout = Some(timeout);
        self
    }

    /// The longest that the circuit stays open at a time. It is also the lease of a probe that has no `timeout`.
    #[must_use]
    pub const fn max_recovery_timeout(mut self, timeout: Duration) -> Self {
        self.max_recovery_timeout = Some(timeout);
        self
    }

    /// How many calls may probe at the same time while the circuit is half open.
    #[must_use]
    pub const fn half_open_calls(mut self, calls: u32) -> Self {
        self.half_open_calls = Some(calls);
        self
    }

    /// Consecutive successful probes that close the circuit.
    #[must_use]
    pub const fn success_threshold(mut self, successes: u32) -> Self {
        self.success_threshold = Some(successes);
        self
    }

    /// With `key`, how many keys have a breaker of their own at most.
    #[must_use]
    pub const fn max_keys(mut self, max_keys: u32) -> Self {
        self.max_keys = Some(max_keys);
        self
    }

    pub(crate) const fn own_max_keys(&self) -> Option<u32> {
        self.max_keys
    }

    /// What is wrong with these numbers, if anything.
    pub(crate) const fn problem(&self) -> Option<&'static str> {
        if matches!(self.failure_threshold, Some(failures) if failures == 0 || failures > 1_000_000) {
            return Some("`failure_threshold` must be from 1 to 1000000");
        }
        if matches!(self.half_open_calls, Some(calls) if calls == 0 || calls > 1_000) {
            return Some("`half_open_calls` must be from 1 to 1000");
        }
        if matches!(self.success_threshold, Some(successes) if successes == 0 || successes > 1_000_000) {
            return Some("`success_threshold` must be from 1 to 1000000");
        }
        if matches!(self.recovery_timeout, Some(timeout) if timeout.is_zero()) {
            return Some("`recovery_timeout` must be longer than zero");
        }
        if let (Some(longest), first) = (self.max_recovery_timeout, self.recovery_timeout)
            && nanos(longest) < nanos(or(first, DEFAULT_RECOVERY_TIMEOUT))
        {
            return Some("`max_recovery_timeout` must be at least `recovery_timeout` (5s where that is not set)");
        }
        max_keys_problem(self.max_keys)
    }

    /// These settings, and where they say nothing those.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            failure_threshold: self.failure_threshold.or(other.failure_threshold),
            recovery_timeout: self.recovery_timeout.or(other.recovery_timeout),
            max_recovery_timeout: self.max_recovery_timeout.or(other.max_recovery_timeout),
            half_open_calls: self.half_open_calls.or(other.half_open_calls),
            success_threshold: self.success_threshold.or(other.success_threshold),
            max_keys: self.max_keys.or(other.max_keys),
        }
    }

    pub(crate) fn resolved(self) -> Settings {
        let recovery_timeout = nanos(or(self.recovery_timeout, DEFAULT_RECOVERY_TIMEOUT));
        let longest = nanos(or(self.max_recovery_timeout, DEFAULT_MAX_RECOVERY_TIMEOUT));
        Settings {
            failure_threshold: self.failure_threshold.unwrap_or(5),
            recovery_timeout,
            max_recovery_timeout: longest.max(recovery_timeout),
            half_open_calls: self.half_open_calls.unwrap_or(1) as usize,
            success_threshold: self.success_threshold.unwrap_or(2),
        }
    }
}

const fn or(own: Option<Duration>, default: Duration) -> Duration {
    match own {
        Some(own) => own,
        None => default,
    }
}

/// Settings with the defaults filled in; times in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) failure_threshold: u32,
    pub(crate) recovery_timeout: u64,
    pub(crate) max_recovery_timeout: u64,
    pub(crate) half_open_calls: usize,
    pub(crate) success_threshold: u32,
}
