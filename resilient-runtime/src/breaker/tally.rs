//! What is counted of a closed circuit, and when that is too much.

use super::count_window::CountWindow;
use super::time_window::TimeWindow;
use super::word::Streak;
use crate::circuit_breaker::{Settings, Watch};
use crate::clock::{Instant, nanos};
use crate::window::Extent;

/// What the window of a circuit breaker holds: [`Breaker::counts`](crate::Breaker::counts).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// The calls that were counted: successes and failures, but nothing neutral.
    pub calls: u64,
    /// Those that failed.
    pub failures: u64,
    /// Those that were slow, whether they failed or not.
    pub slow_calls: u64,
}

/// An outcome that speaks against the service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    pub(super) is_failure: bool,
    pub(super) is_slow: bool,
}

/// Why a circuit opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    FailuresInARow,
    FailureRatio,
    SlowCalls,
    FailedProbe,
    SlowProbe,
}

/// The window, behind the breaker's lock. Successes reach it late: they are counted in the breaker's word, without the lock, and
/// filed by the next outcome that needs it.
#[derive(Debug)]
pub(super) enum Tally {
    None,
    Calls(CountWindow),
    Time(TimeWindow),
}

impl Counts {
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            calls: self.calls + other.calls,
            failures: self.failures + other.failures,
            slow_calls: self.slow_calls + other.slow_calls,
        }
    }
}

impl Cause {
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::FailuresInARow => "failures in a row",
            Self::FailureRatio => "the failure ratio",
            Self::SlowCalls => "the slow call ratio",
            Self::FailedProbe => "a failed probe",
            Self::SlowProbe => "a slow probe",
        }
    }
}

impl Tally {
    pub(super) fn of(settings: &Settings) -> Self {
        match settings.watch.map(|watch| watch.window) {
            None => Self::None,
            Some(Extent::Calls(size)) => Self::Calls(CountWindow::new(size)),
            Some(Extent::Time(time)) => Self::Time(TimeWindow::new(nanos(time))),
        }
    }

    /// Takes over the successes of a streak.
    pub(super) fn file(&mut self, streak: Streak) {
        match self {
            Self::None => {}
            Self::Calls(window) => window.succeed(successes_in(streak, window.size())),
            Self::Time(window) => window.succeed(unfiled(streak)),
        }
    }

    /// Takes an outcome, once the successes before it are filed.
    pub(super) fn note(&mut self, outcome: Outcome, now: Instant) {
        match self {
            Self::None => {}
            Self::Calls(window) => window.note(outcome),
            Self::Time(window) => {
                window.roll(now);
                window.note(outcome);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::None => true,
            Self::Calls(window) => window.is_empty(),
            Self::Time(window) => window.is_empty(),
        }
    }

    /// What it holds, with the successes that are not filed.
    pub(super) fn counts(&self, streak: Streak, now: Instant) -> Counts {
        match self {
            Self::None => Counts::default(),
            Self::Calls(window) => window.counts_after(successes_in(streak, window.size())),
            Self::Time(window) => window.counts_at(now, unfiled(streak)),
        }
    }
}

/// Why a closed circuit must open, if it must.
pub(super) fn cause(settings: &Settings, failures: u32, counts: Counts) -> Option<Cause> {
    if failures >= settings.failure_threshold {
        return Some(Cause::FailuresInARow);
    }
    let Watch { minimum_calls, failure_ratio, slow_call_ratio, .. } = settings.watch?;
    if counts.calls < u64::from(minimum_calls) {
        return None;
    }
    if ratio(counts.failures, counts.calls) >= failure_ratio {
        return Some(Cause::FailureRatio);
    }
    (ratio(counts.slow_calls, counts.calls) >= slow_call_ratio).then_some(Cause::SlowCalls)
}

/// Divided, not multiplied: 7 of 100 is then exactly what `0.07` is read as.
#[expect(clippy::cast_precision_loss, reason = "2^53 calls")]
fn ratio(part: u64, all: u64) -> f64 {
    part as f64 / all as f64
}

/// In a window of calls a word without a streak says that all of them were successes.
fn successes_in(streak: Streak, size: usize) -> usize {
    if streak == Streak::Failures(0) { size } else { unfiled(streak) as usize }
}

fn unfiled(streak: Streak) -> u32 {
    match streak {
        Streak::Failures(_) => 0,
        Streak::Successes(successes) => successes,
    }
}
