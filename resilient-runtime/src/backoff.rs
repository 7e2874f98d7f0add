//! How long to wait before the next attempt: pure integer arithmetic, told its randomness.

#![deny(clippy::arithmetic_side_effects)]

use crate::clock::nanos;
use std::time::Duration;

/// How the waits between attempts grow. The first wait is `base_delay`, none is longer than `max_delay`.
///
/// ```
/// # use resilient_runtime as resilient;
/// use resilient::{Backoff, Jitter, Policy};
/// use std::time::Duration;
///
/// let policy = Policy::builder()
///     .retries(5)
///     .base_delay(Duration::from_millis(100))
///     .max_delay(Duration::from_secs(1))
///     .backoff(Backoff::Exponential)
///     .jitter(Jitter::None)
///     .build()?;
/// assert_eq!(policy.schedule(5).map(|wait| wait.as_millis()).collect::<Vec<_>>(), [100, 200, 400, 800, 1000]);
/// # Ok::<(), resilient::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backoff {
    /// Every wait is twice the one before: 1, 2, 4, 8 … times `base_delay`.
    #[default]
    Exponential,
    /// Every wait is `base_delay`.
    Constant,
    /// 1, 2, 3, 4 … times `base_delay`.
    Linear,
    /// 1, 1, 2, 3, 5 … times `base_delay`.
    Fibonacci,
    /// A random wait between `base_delay` and three times the wait before; it is its own jitter. From Marc Brooker, "Exponential
    /// Backoff And Jitter" (AWS Architecture Blog, 2015).
    Decorrelated,
}

/// How the waits of many callers are spread, so that they do not come back together.
///
/// Whatever it adds stays within `max_delay`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Jitter {
    /// Anywhere between nothing and the whole wait: the best spread (Brooker, 2015).
    #[default]
    Full,
    /// Half of the wait, and anywhere up to the other half.
    Equal,
    /// The wait as it is; callers that failed together come back together.
    None,
    /// The wait, plus or minus this share of it, from 0 to 1.
    Ratio(f64),
}

impl Jitter {
    /// The wait, plus or minus `ratio` of it. A ratio outside 0 to 1 is refused by `build` and, as a literal, by the attribute; an
    /// expression in the attribute is held within.
    #[must_use]
    pub const fn ratio(ratio: f64) -> Self {
        Self::Ratio(ratio)
    }

    pub(crate) const fn is_valid(self) -> bool {
        !matches!(self, Self::Ratio(ratio) if !(ratio >= 0.0 && ratio <= 1.0))
    }
}

impl From<f64> for Jitter {
    fn from(ratio: f64) -> Self {
        Self::Ratio(ratio)
    }
}

/// The waits of one policy, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Schedule {
    pub(crate) base: u64,
    pub(crate) max: u64,
    pub(crate) backoff: Backoff,
    pub(crate) jitter: Jitter,
}

pub(crate) const DEFAULT_BASE_DELAY: Duration = Duration::from_millis(100);
pub(crate) const DEFAULT_MAX_DELAY: Duration = Duration::from_secs(10);

impl Schedule {
    pub(crate) const DEFAULT: Self = Self {
        base: nanos(DEFAULT_BASE_DELAY),
        max: nanos(DEFAULT_MAX_DELAY),
        backoff: Backoff::Exponential,
        jitter: Jitter::Full,
    };

    /// The wait after the `attempt`-th failed attempt (from 1); `previous` is the wait before it, `random` any number.
    pub(crate) fn wait(&self, attempt: u32, previous: u64, random: u64) -> u64 {
        if self.backoff == Backoff::Decorrelated {
            let ceiling = previous.max(self.base).saturating_mul(3);
            return between(self.base, ceiling, random).min(self.max);
        }
        self.jittered(self.grown(attempt), random)
    }

    /// Without jitter, capped.
    fn grown(&self, attempt: u32) -> u64 {
        let steps = attempt.saturating_sub(1);
        let factor = match self.backoff {
            Backoff::Constant | Backoff::Decorrelated => 1,
            Backoff::Linear => u64::from(steps).saturating_add(1),
            Backoff::Exponential => 1_u64.checked_shl(steps).unwrap_or(u64::MAX),
            Backoff::Fibonacci => fibonacci(steps),
        };
        self.base.saturating_mul(factor).min(self.max)
    }

    fn jittered(&self, wait: u64, random: u64) -> u64 {
        match self.jitter {
            Jitter::None => wait,
            Jitter::Full => between(0, wait, random),
            Jitter::Equal => between(wait / 2, wait, random),
            Jitter::Ratio(ratio) => {
                let spread = share(wait, ratio);
                between(wait.saturating_sub(spread), wait.saturating_add(spread), random).min(self.max)
            }
        }
    }
}

/// The first number is 1; beyond the 93rd they no longer fit and saturate.
fn fibonacci(steps: u32) -> u64 {
    let (mut current, mut next) = (1_u64, 1_u64);
    for _ in 0..steps.min(93) {
        (current, next) = (next, current.saturating_add(next));
    }
    current
}

/// `low` to `high`, both possible, by the random number's place among all numbers.
#[expect(clippy::arithmetic_side_effects, reason = "below 2^64 times at most 2^64")]
pub(crate) fn between(low: u64, high: u64, random: u64) -> u64 {
    let span = u128::from(high.saturating_sub(low)) + 1;
    let above = (u128::from(random) * span) >> 64;
    low.saturating_add(u64::try_from(above).unwrap_or(u64::MAX))
}

/// `ratio` of `whole`, the ratio taken in millionths and held within 0 to 1.
fn share(whole: u64, ratio: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates, and NaN becomes 0")]
    let millionths = (ratio.clamp(0.0, 1.0) * 1e6) as u64;
    u64::try_from(u128::from(whole).saturating_mul(u128::from(millionths)) / 1_000_000).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ATTEMPTS: [u32; 15] = [0, 1, 2, 31, 32, 62, 63, 64, 65, 127, 128, 1023, 1024, 1_000_000, u32::MAX];
    const BACKOFFS: [Backoff; 5] =
        [Backoff::Exponential, Backoff::Constant, Backoff::Linear, Backoff::Fibonacci, Backoff::Decorrelated];
    const JITTERS: [Jitter; 7] = [
        Jitter::Full,
        Jitter::Equal,
        Jitter::None,
        Jitter::Ratio(0.25),
        Jitter::Ratio(1.0),
        Jitter::Ratio(9.0),
        Jitter::Ratio(f64::NAN),
    ];

    fn schedule(backoff: Backoff, jitter: Jitter) -> Schedule {
        Schedule { base: 100, max: 1_000, backoff, jitter }
    }

    fn plain(backoff: Backoff) -> Vec<u64> {
        (1..=6).map(|attempt| schedule(backoff, Jitter::None).wait(attempt, 0, 0)).collect()
    }

    #[test]
    fn the_first_wait_is_the_base_and_the_last_the_cap() {
        assert_eq!(plain(Backoff::Exponential), [100, 200, 400, 800, 1000, 1000]);
        assert_eq!(plain(Backoff::Constant), [100; 6]);
        assert_eq!(plain(Backoff::Linear), [100, 200, 300, 400, 500, 600]);
        assert_eq!(plain(Backoff::Fibonacci), [100, 100, 200, 300, 500, 800]);
    }

    #[test]
    fn every_wait_is_within_its_cap_for_every_attempt_and_every_extreme() {
        for backoff in BACKOFFS {
            for jitter in JITTERS {
                for base in [0, 1, 3_600_000_000_000, u64::MAX] {
                    for max in [0, 1, 10_000_000_000, u64::MAX] {
                        let schedule = Schedule { base, max, backoff, jitter };
                        for attempt in ATTEMPTS {
                            for random in [0, 1, u64::MAX / 2, u64::MAX] {
                                assert!(schedule.wait(attempt, u64::MAX, random) <= max);
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn waits_never_shrink_before_jitter_and_stay_at_the_cap_once_there() {
        for backoff in BACKOFFS {
            let waits: Vec<_> = (1..200).map(|attempt| schedule(backoff, Jitter::None).grown(attempt)).collect();
            assert!(waits.windows(2).all(|pair| pair[0] <= pair[1]), "{backoff:?}");
        }
        assert_eq!(schedule(Backoff::Exponential, Jitter::None).wait(u32::MAX, 0, 0), 1_000);
    }

    #[test]
    fn jitter_fills_its_whole_range_and_no_more() {
        let spread = |jitter| {
            let schedule = schedule(Backoff::Constant, jitter);
            (schedule.wait(1, 0, 0), schedule.wait(1, 0, u64::MAX / 2), schedule.wait(1, 0, u64::MAX))
        };
        assert_eq!(spread(Jitter::Full), (0, 50, 100));
        assert_eq!(spread(Jitter::Equal), (50, 75, 100));
        assert_eq!(spread(Jitter::Ratio(0.25)), (75, 100, 125));
        assert_eq!(spread(Jitter::None), (100, 100, 100));
    }

    #[test]
    fn decorrelated_waits_lie_between_the_base_and_three_times_the_one_before() {
        let schedule = schedule(Backoff::Decorrelated, Jitter::Full);
        assert_eq!((schedule.wait(1, 0, 0), schedule.wait(1, 0, u64::MAX)), (100, 300));
        assert_eq!((schedule.wait(2, 200, 0), schedule.wait(2, 200, u64::MAX)), (100, 600));
        assert_eq!(schedule.wait(3, 600, u64::MAX), 1_000);
    }

    #[test]
    fn between_is_uniform() {
        let mut counts = [0_u32; 4];
        for step in 0..4_000_u64 {
            let drawn = between(0, 3, step.wrapping_mul(u64::MAX / 4_000));
            counts[usize::try_from(drawn).unwrap_or(9)] += 1;
        }
        assert!(counts.iter().all(|&count| (999..=1_001).contains(&count)), "{counts:?}");
    }
}
