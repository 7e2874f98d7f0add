//! Annotated functions, whose settings are those of a configuration: a policy that is built hears of none.

use crate::call::Summary;
use crate::function::{Backoff, Function, Jitter, NEVER};
use crate::play::{Body, Failed, verdict};
use resilient::{Configuration, Overrides, resilient};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// One for each kind of clock, as both tell no refusal so soon after another.
const NAMES: [&str; 2] = ["reference model that waits", "reference model that turns the clock"];

/// What each has counted of refusals and not told, as long as that is known.
static REFUSALS: Mutex<[Option<Summary>; 2]> = Mutex::new([Some(Summary::NOTHING); 2]);

#[resilient(name = "reference model that waits", retries = 1, timeout = "1s", deadline = "1s", budget = none, classify = verdict)]
async fn waiting(body: &Body) -> Result<(), Failed> {
    body.run().await
}

#[resilient(
    name = "reference model that turns the clock",
    retries = 1,
    timeout = "1s",
    deadline = "1s",
    budget = none,
    classify = verdict
)]
async fn turning(body: &Body) -> Result<(), Failed> {
    body.run().await
}

pub(crate) async fn call(turns_the_clock: bool, body: &Body) -> Result<(), Failed> {
    if turns_the_clock { turning(body).await } else { waiting(body).await }
}

pub(crate) const fn name(turns_the_clock: bool) -> &'static str {
    NAMES[turns_the_clock as usize]
}

/// Not to be known again unless it is kept.
pub(crate) fn take_refusals(turns_the_clock: bool) -> Option<Summary> {
    REFUSALS.lock().unwrap_or_else(PoisonError::into_inner)[usize::from(turns_the_clock)].take()
}

pub(crate) fn keep_refusals(turns_the_clock: bool, refusals: Option<Summary>) {
    REFUSALS.lock().unwrap_or_else(PoisonError::into_inner)[usize::from(turns_the_clock)] = refusals;
}

pub(crate) fn say(configuration: Configuration, turns_the_clock: bool, function: Function) -> Configuration {
    let time = Duration::from_nanos;
    let mut own = Overrides::new()
        .retries(function.retries)
        .base_delay(time(function.base_delay))
        .max_delay(time(function.max_delay))
        .backoff(function.backoff.ours())
        .jitter(function.jitter.ours())
        .max_retry_after(time(function.max_retry_after))
        .timeout_enabled(function.timeout != NEVER)
        .deadline_enabled(function.deadline != NEVER);
    if function.timeout != NEVER {
        own = own.timeout(time(function.timeout));
    }
    if function.deadline != NEVER {
        own = own.deadline(time(function.deadline));
    }
    configuration.function(name(turns_the_clock), own)
}

impl Backoff {
    pub(crate) const fn ours(self) -> resilient::Backoff {
        match self {
            Self::Exponential => resilient::Backoff::Exponential,
            Self::Constant => resilient::Backoff::Constant,
            Self::Linear => resilient::Backoff::Linear,
            Self::Fibonacci => resilient::Backoff::Fibonacci,
            Self::Decorrelated => resilient::Backoff::Decorrelated,
        }
    }
}

impl Jitter {
    pub(crate) fn ours(self) -> resilient::Jitter {
        match self {
            Self::None => resilient::Jitter::None,
            Self::Full => resilient::Jitter::Full,
            Self::Equal => resilient::Jitter::Equal,
            Self::Percent(percent) => resilient::Jitter::ratio(f64::from(u32::try_from(percent).unwrap_or(100)) / 100.0),
        }
    }
}
