//! The settings of a circuit breaker.

use crate::clock::{Instant, nanos};
use crate::configure::words::words;
use crate::keyed::{DEFAULT_MAX_KEYS, max_keys_problem};
use crate::window::{Extent, Window};
use std::time::Duration;

/// Settings of a circuit breaker, for [`configure`](crate::configure) or inside `breaker(…)`; what is not set has its default.
///
/// | setting | default | range |
/// |---|---|---|
/// | `enabled` | true | |
/// | `failure_threshold` | 5; none beside a `failure_ratio` | 1 to 10⁶ |
/// | `failure_ratio` | none | above 0, at most 1 |
/// | `slow_call_duration` | none | above 0 |
/// | `slow_call_ratio` | 0.5 | above 0, at most 1 |
/// | `window` | 100 calls | 1 to 10⁶ calls, or 10 ms to 24 h |
/// | `minimum_calls` | 20, or all calls of a smaller window | 1 to 10⁶, at most the calls of the window |
/// | `recovery_timeout` | 5 s | above 0, at most `max_recovery_timeout` |
/// | `max_recovery_timeout` | 1 min, or `recovery_timeout` if that is longer | at least `recovery_timeout` |
/// | `half_open_calls` | 1 | 1 to 1000 |
/// | `success_threshold` | 2 | 1 to 10⁶ |
/// | `shadow` | false | |
/// | `max_keys` | 10,000 | 1 to 10⁷ |
///
/// # When it opens
///
/// Each reason that is set opens it by itself: `failure_threshold` failures in a row, a share of failures, a share of slow calls.
/// Where only `failure_ratio` is said, failures in a row do not open it; where nothing or only `slow_call_duration` is said, five do.
///
/// The shares are those of the calls in the `window`, asked once it holds `minimum_calls`, whenever a failure or a slow call comes
/// in: a success that is fast never opens a circuit. A slow success counts as slow, a slow failure once as a failure and once as
/// slow. What is [throttled or ignored](crate::Verdict) is not counted at all. `window` and `minimum_calls` say nothing unless a
/// `failure_ratio` or a `slow_call_duration` is there, nor `slow_call_ratio` without the latter.
///
/// Every outcome is counted once, whatever runs at the same time. The window is empty again when the circuit closes, is
/// [reset](crate::Breaker::reset), or gets a window of another kind or size at run time; calls that began before that are not
/// counted in the new one.
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
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CircuitBreaker {
    enabled: Option<bool>,
    failure_threshold: Option<u32>,
    failure_ratio: Option<f64>,
    slow_call_duration: Option<Duration>,
    slow_call_ratio: Option<f64>,
    window: Option<Window>,
    minimum_calls: Option<u32>,
    recovery_timeout: Option<Duration>,
    max_recovery_timeout: Option<Duration>,
    half_open_calls: Option<u32>,
    success_threshold: Option<u32>,
    shadow: Option<bool>,
    max_keys: Option<u32>,
}

const DEFAULT_RECOVERY_TIMEOUT: Duration = Duration::from_secs(5);
const DEFAULT_MAX_RECOVERY_TIMEOUT: Duration = Duration::from_secs(60);
const DEFAULT_MINIMUM_CALLS: u32 = 20;
const DEFAULT_SLOW_CALL_RATIO: f64 = 0.5;

words! { CircuitBreaker {
    enabled = "enabled",
    failure_threshold = "failure_threshold",
    failure_ratio = "failure_ratio",
    slow_call_duration = "slow_call_duration",
    slow_call_ratio = "slow_call_ratio",
    window = "window",
    minimum_calls = "minimum_calls",
    recovery_timeout = "recovery_timeout",
    max_recovery_timeout = "max_recovery_timeout",
    half_open_calls = "half_open_calls",
    success_threshold = "success_threshold",
    shadow = "shadow",
    max_keys = "max_keys",
} }

impl CircuitBreaker {
    /// What holds beside these settings where nobody says anything.
    pub(crate) fn built_in(&self) -> Self {
        let built_in = Self::new()
            .enabled(true)
            .recovery_timeout(DEFAULT_RECOVERY_TIMEOUT)
            .max_recovery_timeout(DEFAULT_MAX_RECOVERY_TIMEOUT.max(or(self.recovery_timeout, DEFAULT_RECOVERY_TIMEOUT)))
            .half_open_calls(1)
            .success_threshold(2)
            .shadow(false)
            .max_keys(DEFAULT_MAX_KEYS);
        let is_windowed = self.failure_ratio.is_some() || self.slow_call_duration.is_some();
        let built_in = if self.failure_ratio.is_some() { built_in } else { built_in.failure_threshold(5) };
        let built_in = if self.slow_call_duration.is_some() { built_in.slow_call_ratio(DEFAULT_SLOW_CALL_RATIO) } else { built_in };
        if is_windowed { built_in.window(Window::DEFAULT).minimum_calls(DEFAULT_MINIMUM_CALLS) } else { built_in }
    }

    pub(crate) const DEFAULT: Self = Self::new();

    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            enabled: None,
            failure_threshold: None,
            failure_ratio: None,
            slow_call_duration: None,
            slow_call_ratio: None,
            window: None,
            minimum_calls: None,
            recovery_timeout: None,
            max_recovery_timeout: None,
            half_open_calls: None,
            success_threshold: None,
            shadow: None,
            max_keys: None,
        }
    }

    /// Consecutive failures that open the circuit. Beside a `failure_ratio`, either opens it.
    #[must_use]
    pub const fn failure_threshold(mut self, failures: u32) -> Self {
        self.failure_threshold = Some(failures);
        self
    }

    /// The share of failures in the `window` that opens the circuit: 0.5 is half of the calls. Without a `failure_threshold` beside
    /// it, failures in a row do not open it any more.
    #[must_use]
    pub const fn failure_ratio(mut self, ratio: f64) -> Self {
        self.failure_ratio = Some(ratio);
        self
    }

    /// A call whose body takes longer than this is slow; waiting for a token or a place is no part of it. A slow probe has failed.
    /// With it, the clock is read when a body starts and when it ends.
    #[must_use]
    pub const fn slow_call_duration(mut self, duration: Duration) -> Self {
        self.slow_call_duration = Some(duration);
        self
    }

    /// The share of slow calls in the `window` that opens the circuit.
    #[must_use]
    pub const fn slow_call_ratio(mut self, ratio: f64) -> Self {
        self.slow_call_ratio = Some(ratio);
        self
    }

    /// What the ratios are taken over: the last calls, or the calls of the last while.
    #[must_use]
    pub const fn window(mut self, window: Window) -> Self {
        self.window = Some(window);
        self
    }

    /// How many calls the `window` must hold before a ratio says anything.
    #[must_use]
    pub const fn minimum_calls(mut self, calls: u32) -> Self {
        self.minimum_calls = Some(calls);
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

    /// `false` takes the breaker away from every function that names it.
    #[must_use]
    pub const fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = Some(enabled);
        self
    }

    /// Whether it refuses nothing and only counts and tells what it would have done: to try settings out on live traffic. See
    /// [`Breaker::shadow`](crate::Breaker::shadow), which does the same at run time.
    #[must_use]
    pub const fn shadow(mut self, shadow: bool) -> Self {
        self.shadow = Some(shadow);
        self
    }

    /// With `key`, how many keys have a breaker of their own at most.
    #[must_use]
    pub const fn max_keys(mut self, max_keys: u32) -> Self {
        self.max_keys = Some(max_keys);
        self
    }

    pub(crate) const fn with_max_keys(mut self, max_keys: Option<u32>) -> Self {
        if max_keys.is_some() {
            self.max_keys = max_keys;
        }
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
        self.problem_with_ratios()
    }

    const fn problem_with_ratios(&self) -> Option<&'static str> {
        if matches!(self.failure_ratio, Some(ratio) if !is_share(ratio)) {
            return Some("`failure_ratio` must be above 0 and at most 1");
        }
        if matches!(self.slow_call_ratio, Some(ratio) if !is_share(ratio)) {
            return Some("`slow_call_ratio` must be above 0 and at most 1");
        }
        if matches!(self.slow_call_duration, Some(duration) if duration.is_zero()) {
            return Some("`slow_call_duration` must be longer than zero");
        }
        if let Some(window) = self.window
            && let Some(problem) = window.problem()
        {
            return Some(problem);
        }
        match (self.minimum_calls, self.window) {
            (Some(calls), _) if calls == 0 || calls > 1_000_000 => Some("`minimum_calls` must be from 1 to 1000000"),
            (Some(calls), Some(Window(Extent::Calls(all)))) if calls > all => {
                Some("`minimum_calls` must be at most the calls of the `window`, which never holds more")
            }
            (Some(calls), None) if calls > 100 => {
                Some("`minimum_calls` must be at most the calls of the `window` (100 where that is not set)")
            }
            _ => max_keys_problem(self.max_keys),
        }
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.enabled != Some(false)
    }

    pub(crate) fn resolved(self) -> Settings {
        let recovery_timeout = nanos(or(self.recovery_timeout, DEFAULT_RECOVERY_TIMEOUT));
        let longest = nanos(or(self.max_recovery_timeout, DEFAULT_MAX_RECOVERY_TIMEOUT));
        Settings {
            failure_threshold: self.failure_threshold.unwrap_or(if self.failure_ratio.is_some() { u32::MAX } else { 5 }),
            watch: self.watch(),
            recovery_timeout,
            max_recovery_timeout: longest.max(recovery_timeout),
            half_open_calls: self.half_open_calls.unwrap_or(1) as usize,
            success_threshold: self.success_threshold.unwrap_or(2),
            shadow: self.shadow.unwrap_or(false),
        }
    }

    fn watch(self) -> Option<Watch> {
        if self.failure_ratio.is_none() && self.slow_call_duration.is_none() {
            return None;
        }
        let window = self.window.unwrap_or(Window::DEFAULT).0;
        let minimum_calls = self.minimum_calls.unwrap_or(DEFAULT_MINIMUM_CALLS);
        Some(Watch {
            window,
            // Two places may each have said something sensible, and together more than the window holds.
            minimum_calls: if let Extent::Calls(all) = window { minimum_calls.min(all) } else { minimum_calls },
            failure_ratio: self.failure_ratio.unwrap_or(f64::INFINITY),
            slow_call_ratio: self.slow_call_ratio.unwrap_or(DEFAULT_SLOW_CALL_RATIO),
            slow_call_duration: self.slow_call_duration.map_or(u64::MAX, nanos),
        })
    }
}

const fn is_share(ratio: f64) -> bool {
    ratio > 0.0 && ratio <= 1.0
}

const fn or(own: Option<Duration>, default: Duration) -> Duration {
    match own {
        Some(own) => own,
        None => default,
    }
}

/// Settings with the defaults filled in; times in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Settings {
    /// `u32::MAX` where failures in a row say nothing.
    pub(crate) failure_threshold: u32,
    pub(crate) watch: Option<Watch>,
    pub(crate) recovery_timeout: u64,
    pub(crate) max_recovery_timeout: u64,
    pub(crate) half_open_calls: usize,
    pub(crate) success_threshold: u32,
    pub(crate) shadow: bool,
}

/// What is looked for in a window of calls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Watch {
    pub(crate) window: Extent,
    pub(crate) minimum_calls: u32,
    /// Infinite where failures are not asked for.
    pub(crate) failure_ratio: f64,
    pub(crate) slow_call_ratio: f64,
    /// `u64::MAX` where slow calls are not asked for.
    pub(crate) slow_call_duration: u64,
}

impl Watch {
    pub(crate) const fn times_bodies(&self) -> bool {
        self.slow_call_duration != u64::MAX
    }

    /// Whether a success must be told the time.
    pub(crate) const fn needs_clock(&self) -> bool {
        self.times_bodies() || matches!(self.window, Extent::Time(_))
    }

    pub(crate) const fn is_slow(&self, started: Instant, now: Instant) -> bool {
        now.since(started) > self.slow_call_duration
    }

    /// Whether what was counted under these settings may be counted on under those.
    pub(crate) fn counts_like(&self, other: &Self) -> bool {
        self.window == other.window && self.times_bodies() == other.times_bodies()
    }
}

impl Settings {
    pub(crate) fn counts_like(&self, other: &Self) -> bool {
        match (&self.watch, &other.watch) {
            (Some(own), Some(other)) => own.counts_like(other),
            (own, other) => own.is_none() && other.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configure::words::Words as _;

    const RATIO: CircuitBreaker = CircuitBreaker::new().failure_ratio(0.5);

    #[test]
    fn nonsense_is_named() {
        let problem = |settings: CircuitBreaker| settings.problem().unwrap_or("none");
        for ratio in [0.0, -0.5, 1.1, f64::NAN, f64::INFINITY] {
            assert_eq!(problem(CircuitBreaker::new().failure_ratio(ratio)), "`failure_ratio` must be above 0 and at most 1");
            assert_eq!(problem(CircuitBreaker::new().slow_call_ratio(ratio)), "`slow_call_ratio` must be above 0 and at most 1");
        }
        let zero = CircuitBreaker::new().slow_call_duration(Duration::ZERO);
        assert_eq!(problem(zero), "`slow_call_duration` must be longer than zero");
        for calls in [0, 1_000_001] {
            assert_eq!(problem(RATIO.window(Window::calls(calls))), "`window` must be from 1 to 1000000 calls");
            assert_eq!(problem(RATIO.minimum_calls(calls)), "`minimum_calls` must be from 1 to 1000000");
        }
        for time in [Duration::ZERO, Duration::from_millis(9), Duration::from_secs(86_401), Duration::MAX] {
            assert_eq!(problem(RATIO.window(Window::time(time))), "`window` must be from 10ms to 24h");
        }
        let beyond = RATIO.window(Window::calls(10)).minimum_calls(11);
        assert_eq!(problem(beyond), "`minimum_calls` must be at most the calls of the `window`, which never holds more");
        let default = "`minimum_calls` must be at most the calls of the `window` (100 where that is not set)";
        assert_eq!(problem(RATIO.minimum_calls(101)), default);
        for valid in [
            RATIO.minimum_calls(100),
            RATIO.window(Window::calls(1)).minimum_calls(1),
            RATIO.window(Window::time(Duration::from_millis(10))).minimum_calls(1_000_000),
            RATIO.failure_ratio(1.0).slow_call_ratio(1.0).slow_call_duration(Duration::MAX),
            RATIO.recovery_timeout(Duration::from_secs(7)).max_recovery_timeout(Duration::from_secs(7)),
            RATIO.max_recovery_timeout(DEFAULT_RECOVERY_TIMEOUT),
        ] {
            assert_eq!(problem(valid), "none");
        }
    }

    #[test]
    fn whoever_takes_shares_takes_them_over_a_window() {
        let slow = CircuitBreaker::new().slow_call_duration(Duration::from_secs(2));
        for settings in [RATIO, slow] {
            let built_in = settings.built_in();
            assert_eq!((built_in.window, built_in.minimum_calls), (Some(Window::DEFAULT), Some(20)));
        }
        let built_in = CircuitBreaker::new().built_in();
        assert_eq!((built_in.window, built_in.minimum_calls), (None, None));
    }

    #[test]
    fn what_two_places_say_is_joined_setting_by_setting() {
        let configured = CircuitBreaker::new().window(Window::calls(10)).shadow(false).slow_call_ratio(0.7);
        let inline = RATIO.window(Window::calls(80)).minimum_calls(60).shadow(true).slow_call_duration(Duration::from_secs(2));
        let settings = configured.or(inline).resolved();
        let watch = settings.watch.expect("a ratio");
        assert!(!settings.shadow);
        assert_eq!((watch.window, watch.failure_ratio, watch.slow_call_ratio), (Extent::Calls(10), 0.5, 0.7));
        assert_eq!(watch.slow_call_duration, 2_000_000_000);
        assert_eq!(watch.minimum_calls, 10, "together they ask for no more than the window holds");
        assert_eq!(configured.resolved().watch, None, "a window alone says nothing");
    }
}
