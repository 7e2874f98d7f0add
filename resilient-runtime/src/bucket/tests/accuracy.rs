//! From one a day to 10⁹ a second, early and late in a process's life: as many as the rate says, and when it says.

use super::*;

const MINUTE: u64 = 60 * SECOND;
const DAY: u64 = 86_400 * SECOND;
const YEAR: u64 = 365 * DAY;
const RATES: [(u64, u64); 13] = [
    (1, DAY),
    (1, 60 * MINUTE),
    (7, MINUTE),
    (1, SECOND),
    (3, SECOND),
    (10, SECOND),
    (999, SECOND),
    (1_000, SECOND),
    (1_000_000, SECOND),
    (7_777_777, SECOND),
    (333_333_333, SECOND),
    (999_999_937, SECOND),
    (1_000_000_000, SECOND),
];
/// A word counts for 36 years and a half.
const STARTS: [u64; 3] = [0, YEAR + 1, 34 * YEAR + 12_345];

/// One rate, its clock, and what exact fractions say of it.
struct Trial {
    bucket: Bucket,
    count: u64,
    period: u64,
    burst: u64,
    start: u64,
    now: u64,
    admitted: u64,
}

impl Trial {
    fn new((count, period): (u64, u64), burst: u32, start: u64) -> Self {
        let most = u128::from(count) * u128::from(300 * DAY) / u128::from(period);
        let burst = u32::try_from(most).map_or(burst, |most| most.min(burst));
        let bucket = bucket(Rate::per(count, Duration::from_nanos(period)).burst(burst));
        Self { bucket, count, period, burst: u64::from(burst), start, now: start, admitted: 0 }
    }

    /// As many as may have been admitted by then, if none was left lying for longer than the burst.
    fn owed(&self, now: u64) -> u64 {
        let earned = u128::from(now.saturating_sub(self.start)) * u128::from(self.count) / u128::from(self.period);
        self.burst + u64::try_from(earned).expect("fewer than 2^64 calls")
    }

    /// The first nanosecond at which the next may be admitted.
    fn due(&self) -> u64 {
        let missing = u128::from((self.admitted + 1).saturating_sub(self.burst)) * u128::from(self.period);
        self.start + u64::try_from(missing.div_ceil(u128::from(self.count))).expect("fewer than 584 years")
    }

    fn take(&mut self, tokens: u64) -> Result<(), u64> {
        let now = at(self.now);
        self.bucket.take_many(tokens, now, now).map_err(Instant::as_nanos)?;
        self.admitted += tokens;
        Ok(())
    }

    /// Takes everything that is there: what is owed, give or take what a nanosecond earns.
    fn empty(&mut self) {
        let lost = if self.burst == 1 { self.admitted } else { 0 };
        let (least, most) = (self.owed(self.now.saturating_sub(1 + lost)), self.owed(self.now + 1));
        let is_all = (least..=most).rev().any(|owed| owed <= self.admitted || self.take(owed - self.admitted).is_ok());
        assert!(is_all, "{} per {}: {} of {least} to {most} at {}", self.count, self.period, self.admitted, self.now);
    }

    /// Takes everything and then asks when there is more. That moment is the true one.
    fn ask(&mut self) -> u64 {
        self.empty();
        let due = self.take(1).expect_err("everything was taken");
        let said = format!("{} per {}: {due} for {} at {}", self.count, self.period, self.due(), self.now);
        // A burst of one keeps nothing: who comes a part of a nanosecond after the exact moment has lost that part.
        let lost = if self.burst == 1 { self.admitted } else { 0 };
        assert!(due > self.now && due.abs_diff(self.due()) <= 1 + lost, "{said}");
        assert_eq!(self.bucket.take_many(1, at(due - 1), at(due - 1)).map(drop), Err(at(due)), "{said}");
        due
    }
}

#[test]
fn odd_steps_over_years_admit_the_rate_times_the_time_and_the_burst_and_no_drift() {
    let mut random = fastrand::Rng::with_seed(1);
    for (index, rate) in RATES.into_iter().enumerate() {
        let fastest = u32::try_from((rate.0 * SECOND / rate.1).clamp(2, 1 << 30)).expect("clamped");
        for (burst, start) in [2, 13, fastest, fastest * 3 + 1].into_iter().zip(STARTS.into_iter().cycle().skip(index)) {
            let mut trial = Trial::new(rate, burst, start);
            let longest = u128::from(trial.burst - 1) * u128::from(rate.1) / u128::from(rate.0);
            let longest = u64::try_from(longest).expect("at most 300 days");
            for _ in 0..5_000 {
                trial.ask();
                trial.now += random.u64(1..=longest);
                if trial.now > start + YEAR {
                    break;
                }
            }
            trial.empty();
        }
    }
}

#[test]
fn who_comes_whenever_told_to_is_admitted_each_time_and_one_nanosecond_before_never() {
    for (index, rate) in RATES.into_iter().enumerate() {
        for (burst, start) in [1, 2, 1_001].into_iter().zip(STARTS.into_iter().cycle().skip(index)) {
            let mut trial = Trial::new(rate, burst, start);
            for _ in 0..300 {
                trial.now = trial.ask();
                trial.take(1).expect("the moment that was told");
            }
        }
    }
}

#[test]
fn many_tokens_at_once_are_told_the_true_moment_too() {
    for rate in RATES {
        for start in STARTS {
            let mut trial = Trial::new(rate, 1_000, start);
            trial.empty();
            for tokens in [1, 2, 7, 100] {
                let due = trial.take(tokens).expect_err("it is empty");
                trial.now = due - 1;
                assert_eq!(trial.take(tokens), Err(due), "{rate:?}");
                trial.now = due;
                assert_eq!(trial.take(tokens), Ok(()), "{rate:?}");
                assert!(trial.admitted <= trial.owed(due + 1), "{rate:?}");
            }
        }
    }
}
