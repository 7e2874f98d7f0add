//! What the world is told, as `tracing` events; nothing is computed when nobody listens.

use crate::breaker::{Change, Counts};
use crate::clock::{Instant, nanos};
use crate::configure::Problem;
use crate::judging::Judged;
use crate::plan::Plan;
use crate::refused::Refused;
use crate::rejected::Rejected;
use crate::sync::{AtomicBool, AtomicU64, Ordering, seeded};
use std::time::Duration;
use tracing::{Level, enabled, event};

/// Refusals of one function are told at most once in this time, with their number.
const SUMMARY: u64 = 10_000_000_000;

/// What one function has said already.
#[derive(Debug)]
pub(crate) struct Record {
    has_told_unclassified: AtomicBool,
    has_told_blocking: AtomicBool,
    refusals: Summary,
    excused: Summary,
}

/// What happens too often to be told one by one.
#[derive(Debug)]
pub(crate) struct Summary {
    count: AtomicU64,
    next: AtomicU64,
}

impl Record {
    pub(crate) const fn new() -> Self {
        Self {
            has_told_unclassified: AtomicBool::new(false),
            has_told_blocking: AtomicBool::new(false),
            refusals: Summary::new(),
            excused: Summary::new(),
        }
    }

    pub(crate) fn has_told_unclassified(&self) -> bool {
        self.has_told_unclassified.load(Ordering::Relaxed)
    }
}

impl Summary {
    pub(crate) const fn new() -> Self {
        Self { count: AtomicU64::new(0), next: AtomicU64::new(0) }
    }

    /// One more; how many to tell now, if it is time. Who comes to it so late that the next summary has told of all tells nothing.
    pub(crate) fn count(&self, now: Instant) -> Option<u64> {
        self.count.fetch_add(1, Ordering::Relaxed);
        let next = self.next.load(Ordering::Relaxed);
        let later = now.plus(SUMMARY).as_nanos();
        let is_due =
            now.as_nanos() >= next && self.next.compare_exchange(next, later, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        let early = seeded!("a summary is read, then emptied").then(|| self.count.load(Ordering::Relaxed));
        let count =
            is_due.then(|| self.count.swap(0, Ordering::Relaxed)).filter(|count| *count > 0 || seeded!("a summary of none"));
        count.map(|count| early.unwrap_or(count))
    }
}

/// Why no retry follows although one was left or wished for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Attempts,
    SwitchedOff,
    CircuitOpen,
    Deadline,
    Budget,
    Hint,
}

impl End {
    const fn word(self) -> &'static str {
        match self {
            Self::Attempts => "no retries left",
            Self::SwitchedOff => "retries are switched off",
            Self::CircuitOpen => "the circuit is open",
            Self::Deadline => "the next attempt would start after the deadline",
            Self::Budget => "the retry budget is spent",
            Self::Hint => "the server asks for more than max_retry_after",
        }
    }
}

macro_rules! tell {
    ($level:ident, $name:literal, $($fields:tt)*) => {
        event!(name: $name, target: "resilient", Level::$level, $($fields)*, $name)
    };
}

fn millis(nanos: u64) -> u64 {
    nanos.div_ceil(1_000_000)
}

pub(crate) fn retry(plan: &Plan<'_>, attempt: u32, delay: u64, judged: &Judged<'_>) {
    let (breaker, verdict) = (plan.breaker_name(), judged.verdict.word());
    let error = judged.error.map(tracing::field::display);
    tell!(DEBUG, "retry", function = plan.function, breaker, attempt, delay_ms = millis(delay), verdict, error);
}

pub(crate) fn exhausted(plan: &Plan<'_>, attempts: u32, end: End, judged: &Judged<'_>) {
    let (breaker, verdict, reason) = (plan.breaker_name(), judged.verdict.word(), end.word());
    let error = judged.error.map(tracing::field::display);
    tell!(WARN, "exhausted", function = plan.function, breaker, attempts, reason, verdict, error);
}

#[inline]
pub(crate) fn rejected(plan: &Plan<'_>, refused: Refused, attempts: u32, now: Instant) {
    if enabled!(target: "resilient", Level::WARN) {
        tell_rejected(plan, &refused.told(plan, attempts), now);
    }
}

#[cold]
fn tell_rejected(plan: &Plan<'_>, rejected: &Rejected, now: Instant) {
    if let Some(count) = plan.record.refusals.count(now) {
        let (function, resource) = (rejected.function(), rejected.resource());
        let (reason, attempts) = (rejected.kind().word(), rejected.attempts());
        let retry_after_ms = rejected.retry_after().map(|wait| millis(nanos(wait)));
        tell!(WARN, "rejected", function, resource, reason, attempts, retry_after_ms, count);
    }
}

/// A call passed only because its breaker is in shadow.
pub(crate) fn would_reject(plan: &Plan<'_>, now: Instant) {
    if !enabled!(target: "resilient", Level::INFO) {
        return;
    }
    if let Some(count) = plan.record.excused.count(now) {
        let breaker = plan.breaker_name();
        tell!(INFO, "would_reject", function = plan.function, breaker, count);
    }
}

/// A key came while all of `max_keys` were in use. The key itself may be a secret.
pub(crate) fn keys_overflow(summary: &Summary, function: &str, what: &str, name: Option<&str>, max_keys: u32) {
    if !enabled!(target: "resilient", Level::WARN) {
        return;
    }
    if let Some(count) = summary.count(crate::clock::now()) {
        tell!(WARN, "keys_overflow", function, what, name, max_keys, count);
    }
}

pub(crate) fn unclassified(plan: &Plan<'_>, judged: &Judged<'_>) {
    if plan.record.has_told_unclassified.swap(true, Ordering::Relaxed) {
        return;
    }
    let error = judged.error.map(tracing::field::display);
    let hint = "this error type does not say what it means, so it counts as transient: derive `Classify` for it, set `classify`, \
                or turn on the feature of the crate it comes from";
    tell!(INFO, "unclassified", function = plan.function, error, hint);
}

/// The caller gets an earlier success.
pub(crate) fn last_known(plan: &Plan<'_>, age: Duration, reason: &str) {
    let age_ms = millis(nanos(age));
    tell!(WARN, "last_known", function = plan.function, age_ms, reason);
}

/// A thread that polls tasks is about to sleep.
#[cfg(feature = "tokio")]
pub(crate) fn blocking(plan: &Plan<'_>) {
    let is_told = || plan.record.has_told_blocking.swap(true, Ordering::Relaxed);
    if enabled!(target: "resilient", Level::WARN) && tokio::runtime::Handle::try_current().is_ok() && !is_told() {
        let hint = "a sync function waits inside an async runtime: unless this is `spawn_blocking`, it blocks a worker";
        tell!(WARN, "blocking_wait", function = plan.function, hint);
    }
}

#[cfg(not(feature = "tokio"))]
pub(crate) fn blocking(plan: &Plan<'_>) {
    plan.record.has_told_blocking.swap(true, Ordering::Relaxed);
}

pub(crate) fn breaker_changed(breaker: &str, change: Change, shadow: bool) {
    match change {
        Change::Opened { cause, counts, open_for } => {
            let (reason, open_for_ms) = (cause.words(), millis(open_for));
            let Counts { calls, failures, slow_calls } = counts;
            tell!(ERROR, "circuit_opened", breaker, reason, calls, failures, slow_calls, open_for_ms, shadow);
        }
        Change::HalfOpen => tell!(WARN, "circuit_half_open", breaker, shadow),
        Change::Closed => tell!(INFO, "circuit_closed", breaker, shadow),
        Change::ForcedOpen => tell!(WARN, "circuit_forced_open", breaker),
        Change::Disabled => tell!(WARN, "circuit_disabled", breaker),
        Change::Shadowed => tell!(WARN, "circuit_shadowed", breaker),
        Change::Reset => tell!(INFO, "circuit_reset", breaker),
    }
}

pub(crate) fn conflicting_settings(what: &str, name: &str, first: &str, second: &str) {
    tell!(ERROR, "conflicting_settings", what, name, first, second);
}

pub(crate) fn configuration_warning(problem: &Problem) {
    let (place, problem) = (problem.place(), problem.message());
    tell!(WARN, "configuration_warning", problem, place);
}

#[cfg(feature = "watch")]
pub(crate) fn configuration_reloaded() {
    tell!(INFO, "configuration_reloaded", by = "watch");
}

#[cfg(feature = "watch")]
pub(crate) fn configuration_refused(error: &crate::configure::ConfigError) {
    let problems = error.problems().count();
    tell!(ERROR, "configuration_refused", problems, error = %error);
}
