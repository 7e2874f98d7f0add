//! A rate in whole numbers: an interval is exactly N units, and only the clock is converted.
//!
//! Nanoseconds are too coarse: an interval rounded up to a whole one loses rate, for ever. So time is counted in units of which one
//! interval holds a whole number, near 16 to the nanosecond; 36 years of uptime, less the burst's worth, fit into a word.

mod text;

use crate::clock::{self, Instant, Tick, nanos};
use crate::keyed::max_keys_problem;
use std::time::Duration;
pub use text::ParseRateError;

/// How many calls may start per unit of time, and how many at once: the settings of a token bucket.
///
/// At least one call per 365 days, at most 10⁹ per second. Without `burst`, one call at once up to 100 per second, and above that
/// as many as 10 ms are worth.
///
/// ```
/// # use resilient_runtime as resilient;
/// use resilient::Rate;
///
/// const PARTNER_QUOTA: Rate = Rate::per_minute(30).burst(5);
/// assert_eq!(PARTNER_QUOTA.to_string(), "30 per 60s, burst 5");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    count: u64,
    period: u64,
    burst: Option<u32>,
    max_keys: Option<u32>,
}

const SECOND: u64 = 1_000_000_000;
const YEAR: u64 = 365 * 24 * 3_600 * SECOND;
const UNITS_PER_NANO: u128 = 16;
/// Most units that a burst may be worth, so that moments and tolerances stay far from a word's end.
const LARGEST_TOLERANCE: u128 = 1 << 60;
/// Until when a word can be paid; words above it mean something else.
const LATEST_WORD: u64 = u64::MAX - (1 << 33);

impl Rate {
    /// `count` calls per `period`.
    #[must_use]
    pub const fn per(count: u64, period: Duration) -> Self {
        Self { count, period: nanos(period), burst: None, max_keys: None }
    }

    /// `count` calls per second.
    #[must_use]
    pub const fn per_second(count: u64) -> Self {
        Self::per(count, Duration::from_secs(1))
    }

    /// `count` calls per minute.
    #[must_use]
    pub const fn per_minute(count: u64) -> Self {
        Self::per(count, Duration::from_secs(60))
    }

    /// `count` calls per hour.
    #[must_use]
    pub const fn per_hour(count: u64) -> Self {
        Self::per(count, Duration::from_secs(3_600))
    }

    /// `count` calls per day.
    #[must_use]
    pub const fn per_day(count: u64) -> Self {
        Self::per(count, Duration::from_secs(86_400))
    }

    /// How many calls may start at the same moment after a quiet time; at least 1.
    #[must_use]
    pub const fn burst(mut self, burst: u32) -> Self {
        self.burst = Some(burst);
        self
    }

    /// The rate by itself, without what goes with it.
    pub(crate) const fn alone(mut self) -> Self {
        self.max_keys = None;
        self.without_burst()
    }

    pub(crate) const fn without_burst(mut self) -> Self {
        self.burst = None;
        self
    }

    /// With `key`, how many keys have a bucket of their own at most: 1 to 10⁷, 10,000 if it is not set.
    #[must_use]
    pub const fn max_keys(mut self, max_keys: u32) -> Self {
        self.max_keys = Some(max_keys);
        self
    }

    pub(crate) const fn own_max_keys(&self) -> Option<u32> {
        self.max_keys
    }

    pub(crate) const fn own_burst(&self) -> Option<u32> {
        self.burst
    }

    pub(crate) const fn resolved_burst(&self) -> u64 {
        if let Some(burst) = self.burst {
            return burst as u64;
        }
        let in_ten_millis = self.count as u128 * (SECOND as u128 / 100) / self.period as u128;
        #[expect(clippy::cast_possible_truncation, reason = "at most 10^7, by the greatest rate")]
        let burst = in_ten_millis as u64;
        if burst == 0 { 1 } else { burst }
    }

    /// What is wrong with these numbers, if anything.
    pub(crate) const fn problem(&self) -> Option<&'static str> {
        if self.count == 0 || self.period == 0 {
            return Some("a rate must be greater than zero");
        }
        let (count, period) = (self.count as u128, self.period as u128);
        if count > period {
            return Some("a rate may be at most 1000000000 per second");
        }
        if period > count * YEAR as u128 {
            return Some("a rate must be at least one per 365 days");
        }
        if matches!(self.burst, Some(0)) {
            return Some("a burst must be at least 1");
        }
        let interval = UNITS_PER_NANO * period / count;
        if interval * self.resolved_burst() as u128 > LARGEST_TOLERANCE {
            return Some("the burst is too large for so slow a rate: together they span more than 2 years");
        }
        max_keys_problem(self.max_keys)
    }
}

impl From<u32> for Rate {
    /// Calls per second.
    fn from(count: u32) -> Self {
        Self::per_second(u64::from(count))
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} per {:?}, burst {}", self.count, Duration::from_nanos(self.period), self.resolved_burst())
    }
}

const SHIFT: u32 = 51;
/// So many ticks, as a power of two, are counted to know how long one takes: up to 256 ns.
const TICKS: u32 = 56;

/// A valid rate, made ready for the hot path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interval {
    /// Units of one interval.
    pub(crate) units: u64,
    /// Units that may be owed beyond now: the burst's worth.
    pub(crate) tolerance: u64,
    /// Units that may be owed beyond now for another call to go at once: one interval less.
    pub(crate) slack: u64,
    /// Units per nanosecond, times 2^51.
    scale: u64,
    /// Units per tick of the clock, times 2^51.
    tick_scale: u64,
    pub(crate) burst: u64,
}

impl Interval {
    /// The rate must have no [`Rate::problem`].
    pub(crate) fn of(rate: Rate) -> Self {
        let (count, period) = (u128::from(rate.count.max(1)), u128::from(rate.period.max(1)));
        let units = UNITS_PER_NANO * period / count;
        let scale = ((count * units) << SHIFT) / period;
        let tick_scale = (scale * u128::from(clock::nanos_of_ticks(1 << TICKS))) >> TICKS;
        let burst = rate.resolved_burst();
        let tolerance = word((units * u128::from(burst)).min(LARGEST_TOLERANCE.max(units)));
        Self {
            units: word(units),
            tolerance,
            slack: tolerance - word(units),
            scale: word(scale),
            tick_scale: word(tick_scale),
            burst,
        }
    }

    /// As [`units_at`](Self::units_at), for a reading of the clock, which has not run for 36 years.
    #[inline]
    pub(crate) fn units_now(&self, now: Tick) -> u64 {
        // Tests turn clocks further than any process runs.
        #[cfg(feature = "testing")]
        if now.count() >> 59 != 0 {
            return self.units_late(now);
        }
        #[expect(clippy::cast_possible_truncation, reason = "36 years fit")]
        let units = ((u128::from(now.count()) * u128::from(self.tick_scale)) >> SHIFT) as u64;
        units
    }

    #[cold]
    #[cfg(feature = "testing")]
    fn units_late(&self, now: Tick) -> u64 {
        word((u128::from(now.count()) * u128::from(self.tick_scale)) >> SHIFT).min(LATEST_WORD - self.tolerance)
    }

    /// Beyond what a word counts time stands still.
    pub(crate) fn units_at(&self, now: Instant) -> u64 {
        self.units_until(now).min(LATEST_WORD - self.tolerance)
    }

    /// The same of a moment that may never come.
    pub(crate) fn units_until(&self, moment: Instant) -> u64 {
        word((u128::from(moment.as_nanos()) * u128::from(self.scale)) >> SHIFT)
    }

    /// The first nanosecond at which that many units have passed.
    pub(crate) fn instant_of(&self, units: u64) -> Instant {
        Instant::from_nanos(self.nanos_of(units))
    }

    fn nanos_of(&self, units: u64) -> u64 {
        word((u128::from(units) << SHIFT).div_ceil(u128::from(self.scale)))
    }

    pub(crate) fn nanos(&self) -> u64 {
        self.nanos_of(self.units)
    }
}

/// The ranges of `problem` and 36 years of uptime fit into a word; what is later than that is never.
fn word(wide: u128) -> u64 {
    u64::try_from(wide).unwrap_or(u64::MAX)
}

/// A rate given as an expression in the attribute: a number per second, or a [`Rate`].
#[doc(hidden)]
pub struct Setting<T>(pub T);

impl Setting<Rate> {
    #[must_use]
    pub const fn rate(self) -> Rate {
        self.0
    }
}

impl Setting<u32> {
    #[must_use]
    pub const fn rate(self) -> Rate {
        Rate::per_second(self.0 as u64)
    }
}

impl Setting<u64> {
    #[must_use]
    pub const fn rate(self) -> Rate {
        Rate::per_second(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_neither_drifts_nor_rounds() {
        let cases = [(3, SECOND, 1_000_000_000), (7, SECOND, 1_000_000_000), (999_999_937, SECOND, 1_000_000_000)];
        for (count, period, calls) in [cases[0], cases[1], cases[2], (300_000, SECOND, 1_000_000_000), (1, 86_400 * SECOND, 13_000)]
        {
            let interval = Interval::of(Rate::per(count, Duration::from_nanos(period)));
            let exact = u128::from(calls) * u128::from(period) / u128::from(count);
            let ours = u128::from(interval.nanos_of(interval.units * calls));
            assert!(ours.abs_diff(exact) <= exact / 1_000_000_000_000_000 + 1, "{count} per {period}: {ours} for {exact}");
        }
    }

    #[test]
    fn units_and_nanoseconds_agree_after_36_years() {
        for rate in
            [Rate::per_second(10), Rate::per_second(999_999_937), Rate::per_day(1), Rate::per(1, Duration::from_nanos(YEAR))]
        {
            let interval = Interval::of(rate);
            for now in [0, 1, SECOND, YEAR, 36 * YEAR] {
                let units = interval.units_until(Instant::from_nanos(now));
                assert!(interval.nanos_of(units).abs_diff(now) <= 1, "{rate} at {now}");
            }
        }
    }

    #[test]
    fn nonsense_is_named() {
        let problem = |rate: Rate| rate.problem().unwrap_or("none");
        assert_eq!(problem(Rate::per_second(0)), "a rate must be greater than zero");
        assert_eq!(problem(Rate::per(1, Duration::ZERO)), "a rate must be greater than zero");
        assert_eq!(problem(Rate::per_second(1_000_000_001)), "a rate may be at most 1000000000 per second");
        assert_eq!(problem(Rate::per(1, Duration::from_secs(366 * 86_400))), "a rate must be at least one per 365 days");
        assert_eq!(problem(Rate::per_second(1).burst(0)), "a burst must be at least 1");
        assert!(problem(Rate::per_day(1).burst(u32::MAX)).starts_with("the burst is too large"));
        assert_eq!(problem(Rate::per_second(1_000_000_000).burst(u32::MAX)), "none");
        assert_eq!(problem(Rate::per(1, Duration::from_nanos(YEAR))), "none");
    }

    #[test]
    fn the_slowest_rate_is_one_call_in_365_days() {
        let days = Duration::from_secs(31_536_000);
        assert_eq!(Rate::per(1, days).problem(), None);
        assert!(Rate::per(1, days + Duration::from_nanos(1)).problem().is_some());
        assert_eq!(Rate::per(2, 2 * days).problem(), None);
    }

    #[test]
    fn a_burst_may_be_worth_two_years_and_no_more() {
        let rate = Rate::per(1, Duration::from_nanos(1 << 30));
        assert_eq!(rate.burst(1 << 26).problem(), None);
        assert!(rate.burst((1 << 26) + 1).problem().is_some());
    }

    #[test]
    fn it_says_what_it_was_told() {
        let rate = Rate::per_minute(30).burst(5).max_keys(7);
        assert_eq!(rate.to_string(), "30 per 60s, burst 5");
        assert_eq!((rate.own_burst(), rate.own_max_keys()), (Some(5), Some(7)));
        assert_eq!(rate.alone(), Rate::per_minute(30));
    }

    #[test]
    fn settings_from_two_mouths_that_do_not_fit_together_overflow_nothing() {
        for count in [1, 1_000] {
            let interval = Interval::of(Rate::per(count, Duration::from_nanos(YEAR)).burst(u32::MAX));
            let now = Instant::from_nanos(30 * YEAR);
            assert!(interval.units_at(now).checked_add(interval.slack).is_some_and(|units| units < u64::MAX - interval.units));
        }
    }

    #[test]
    fn the_burst_without_one_is_ten_milliseconds_worth() {
        let burst = |count| Rate::per_second(count).resolved_burst();
        assert_eq!([burst(1), burst(100), burst(199), burst(200), burst(1_000_000_000)], [1, 1, 1, 2, 10_000_000]);
    }
}
