//! The settings of one function, each said or not.

use crate::backoff::{Backoff, DEFAULT_BASE_DELAY, DEFAULT_MAX_DELAY, Jitter};
use crate::bulkhead::Concurrency;
use crate::configure::value::{MaxWait, Value};
use crate::configure::words::words;
use crate::plan::{BudgetChoice, Settings};
use crate::rate::Rate;
use std::time::Duration;

/// Settings of functions, for [`Configuration::function`](crate::Configuration::function) and
/// [`Configuration::defaults`](crate::Configuration::defaults), under the words of the attribute's keys.
///
/// They tune the policies that a function's attribute names and never add one: `retries` for a function whose attribute has none is
/// an error, and a pattern passes over it. What functions share by name has settings of its own: a `rate` is that of a function's own
/// bucket, not of one that it names.
///
/// What is out of range is told by [`install`](crate::Configuration::install), not here.
///
/// ```
/// # use resilient_runtime as resilient;
/// use resilient::Overrides;
/// use std::time::Duration;
///
/// let patient = Overrides::new().retries(5).timeout(Duration::from_secs(10));
/// let bare = Overrides::new().enabled(false);
/// # let _ = (patient, bare);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Overrides {
    pub(crate) enabled: Option<bool>,
    pub(crate) retries: Option<u32>,
    pub(crate) retries_enabled: Option<bool>,
    pub(crate) base_delay: Option<Duration>,
    pub(crate) max_delay: Option<Duration>,
    pub(crate) backoff: Option<Backoff>,
    pub(crate) jitter: Option<Jitter>,
    pub(crate) max_retry_after: Option<Duration>,
    pub(crate) budget: Option<BudgetChoice>,
    pub(crate) budget_enabled: Option<bool>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) timeout_enabled: Option<bool>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) deadline_enabled: Option<bool>,
    pub(crate) breaker_enabled: Option<bool>,
    pub(crate) rate: Option<Rate>,
    pub(crate) rate_enabled: Option<bool>,
    pub(crate) burst: Option<u32>,
    pub(crate) bucket_enabled: Option<bool>,
    pub(crate) max_wait: Option<MaxWait>,
    pub(crate) concurrency: Option<u32>,
    pub(crate) concurrency_enabled: Option<bool>,
    pub(crate) bulkhead_enabled: Option<bool>,
}

words! { Overrides {
    enabled = "enabled",
    retries = "retries",
    retries_enabled = "retries.enabled",
    base_delay = "base_delay",
    max_delay = "max_delay",
    backoff = "backoff",
    jitter = "jitter",
    max_retry_after = "max_retry_after",
    budget = "budget",
    budget_enabled = "budget.enabled",
    timeout = "timeout",
    timeout_enabled = "timeout.enabled",
    deadline = "deadline",
    deadline_enabled = "deadline.enabled",
    breaker_enabled = "breaker.enabled",
    rate = "rate",
    rate_enabled = "rate.enabled",
    burst = "burst",
    bucket_enabled = "bucket.enabled",
    max_wait = "max_wait",
    concurrency = "concurrency",
    concurrency_enabled = "concurrency.enabled",
    bulkhead_enabled = "bulkhead.enabled",
} }

/// The keys of which an attribute must have one for that setting to be heard.
pub(crate) fn needed(word: &str) -> &[&str] {
    const RETRIES: &[&str] = &["retries"];
    match word {
        "base_delay" | "max_delay" | "backoff" | "jitter" | "budget" => RETRIES,
        "max_retry_after" => &["retries", "rate", "bucket"],
        "max_wait" => &["rate", "bucket", "concurrency", "bulkhead"],
        "burst" => &["rate"],
        _ => &[],
    }
}

/// What belongs to each function alone and has no value unless its attribute gives one: a default for it could never be heard.
pub(crate) const ALWAYS_GIVEN: [&str; 6] = ["retries", "timeout", "deadline", "rate", "burst", "concurrency"];

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident($value:ident: $type:ty) = $set:expr;)*) => {
        impl Overrides {
            $(
                $(#[$doc])*
                #[must_use]
                pub const fn $name(mut self, $value: $type) -> Self {
                    self.$name = Some($set);
                    self
                }
            )*
        }
    };
}

setters! {
    /// `false` runs the body once, bare: no policy but a `fallback`.
    enabled(enabled: bool) = enabled;
    /// Extra attempts after the first; 0 for none.
    retries(retries: u32) = retries;
    /// The first wait between attempts; above zero, at most `max_delay`.
    base_delay(delay: Duration) = delay;
    /// The longest of our own waits, jitter included; above zero.
    max_delay(delay: Duration) = delay;
    /// How the waits grow.
    backoff(backoff: Backoff) = backoff;
    /// How the waits are spread; a ratio is from 0 to 1.
    jitter(jitter: Jitter) = jitter;
    /// The longest wait that a server may ask for; a longer one ends the call.
    max_retry_after(wait: Duration) = wait;
    /// How long each attempt may take; above zero, at most `deadline`.
    timeout(timeout: Duration) = timeout;
    /// How long the whole call may take; above zero.
    deadline(deadline: Duration) = deadline;
    /// How many calls may start at once after a quiet time; at least 1.
    burst(burst: u32) = burst;
    /// The longest wait for a token or a slot; `Duration::MAX` always waits.
    max_wait(wait: Duration) = MaxWait(wait);
    /// Calls in flight, from 1 to 10⁶.
    concurrency(calls: u32) = calls;
    /// Whether there are retries at all.
    retries_enabled(enabled: bool) = enabled;
    /// Whether the retry budget has a say.
    budget_enabled(enabled: bool) = enabled;
    /// Whether the timeout has a say.
    timeout_enabled(enabled: bool) = enabled;
    /// Whether the deadline has a say.
    deadline_enabled(enabled: bool) = enabled;
    /// Whether the function asks its breaker, and is counted by it.
    breaker_enabled(enabled: bool) = enabled;
    /// Whether the function's own rate has a say.
    rate_enabled(enabled: bool) = enabled;
    /// Whether the function takes tokens of the bucket that it names.
    bucket_enabled(enabled: bool) = enabled;
    /// Whether the function's own limit of calls in flight has a say.
    concurrency_enabled(enabled: bool) = enabled;
    /// Whether the function takes places of the bulkhead that it names.
    bulkhead_enabled(enabled: bool) = enabled;
}

impl Overrides {
    /// What holds where nobody says anything.
    pub(crate) const BUILT_IN: Self = Self::new()
        .base_delay(DEFAULT_BASE_DELAY)
        .max_delay(DEFAULT_MAX_DELAY)
        .backoff(Backoff::Exponential)
        .jitter(Jitter::Full)
        .max_retry_after(Duration::from_secs(60))
        .max_wait(Duration::from_secs(5))
        .budget(0.2);

    /// Nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            enabled: None,
            retries: None,
            retries_enabled: None,
            base_delay: None,
            max_delay: None,
            backoff: None,
            jitter: None,
            max_retry_after: None,
            budget: None,
            budget_enabled: None,
            timeout: None,
            timeout_enabled: None,
            deadline: None,
            deadline_enabled: None,
            breaker_enabled: None,
            rate: None,
            rate_enabled: None,
            burst: None,
            bucket_enabled: None,
            max_wait: None,
            concurrency: None,
            concurrency_enabled: None,
            bulkhead_enabled: None,
        }
    }

    /// The rate of the function's own token bucket, and its burst where the rate has one.
    #[must_use]
    pub const fn rate(mut self, rate: Rate) -> Self {
        self.rate = Some(rate.without_burst());
        if let Some(burst) = rate.own_burst() {
            self.burst = Some(burst);
        }
        self
    }

    /// Retries that each success earns, from above 0 to 10.
    #[must_use]
    pub const fn budget(mut self, ratio: f64) -> Self {
        self.budget = Some(BudgetChoice::Ratio(ratio));
        self
    }

    /// The retry budget of that name.
    #[must_use]
    pub const fn shared_budget(mut self, name: &'static str) -> Self {
        self.budget = Some(BudgetChoice::Named(name));
        self
    }

    /// No retry budget.
    #[must_use]
    pub const fn without_budget(mut self) -> Self {
        self.budget = Some(BudgetChoice::None);
        self
    }

    /// What is wrong with these settings, the first that is to be changed in the first backquotes.
    pub(crate) fn problem(&self) -> Option<String> {
        for (word, time) in
            [("timeout", self.timeout), ("deadline", self.deadline), ("base_delay", self.base_delay), ("max_delay", self.max_delay)]
        {
            if time == Some(Duration::ZERO) {
                return Some(format!("`{word}` must be longer than zero"));
            }
        }
        if self.jitter.is_some_and(|jitter| !jitter.is_valid()) {
            return Some("`jitter` must be from 0 to 1".to_owned());
        }
        match self.budget {
            Some(BudgetChoice::Ratio(ratio)) if !(ratio > 0.0 && ratio <= 10.0) => {
                return Some("`budget` must be above 0 and at most 10, or \"none\"".to_owned());
            }
            Some(BudgetChoice::Named("")) => return Some("`budget` may not be an empty name".to_owned()),
            _ => {}
        }
        if let Some(problem) = self.concurrency.and_then(|calls| Concurrency::limit(calls).problem()) {
            return Some(problem.to_owned());
        }
        if self.burst == Some(0) {
            return Some("`burst` must be at least 1".to_owned());
        }
        self.rate_problem()
    }

    fn rate_problem(&self) -> Option<String> {
        let problem = self.full_rate()?.problem()?;
        let is_burst = self.burst.is_some() && self.rate.is_some_and(|rate| rate.problem().is_none());
        Some(format!("{}: {problem}", if is_burst { "`burst` beside this `rate`" } else { "`rate`" }))
    }

    /// What only the whole of a function's settings can have wrong with it; of what is an `expression` nobody knows.
    pub(crate) fn contradiction(&self, is_expression: impl Fn(&str) -> bool) -> Option<String> {
        let (base, max) = (self.base_delay.unwrap_or(DEFAULT_BASE_DELAY), self.max_delay.unwrap_or(DEFAULT_MAX_DELAY));
        let is_known = |key, delay: Option<Duration>| delay.is_some() || !is_expression(key);
        if base > max && is_known("base_delay", self.base_delay) && is_known("max_delay", self.max_delay) {
            return Some(format!("`base_delay` ({}) must be at most `max_delay` ({})", base.show(), max.show()));
        }
        let is_on = self.is_on(self.timeout_enabled) && self.is_on(self.deadline_enabled);
        match (self.timeout, self.deadline) {
            (Some(timeout), Some(deadline)) if timeout > deadline && is_on => {
                Some(format!("`timeout` ({}) must be at most `deadline` ({})", timeout.show(), deadline.show()))
            }
            _ => self.rate_problem(),
        }
    }

    pub(crate) fn named_budget(&self) -> Option<&'static str> {
        match self.budget {
            Some(BudgetChoice::Named(name)) => Some(name),
            _ => None,
        }
    }

    /// The budget by name that pays for retries.
    pub(crate) fn paying_budget(&self) -> Option<&'static str> {
        self.named_budget().filter(|_| self.is_on(self.budget_enabled))
    }

    /// Whether a budget without a name pays for retries.
    pub(crate) fn has_own_budget(&self) -> bool {
        self.is_on(self.budget_enabled) && matches!(self.budget, None | Some(BudgetChoice::Ratio(_)))
    }

    pub(crate) const fn full_rate(&self) -> Option<Rate> {
        match (self.rate, self.burst) {
            (Some(rate), Some(burst)) => Some(rate.burst(burst)),
            (rate, _) => rate,
        }
    }

    pub(crate) fn limit(&self) -> Option<Concurrency> {
        self.concurrency.map(Concurrency::limit)
    }

    /// Whether a policy with that switch has a say.
    pub(crate) fn is_on(&self, policy: Option<bool>) -> bool {
        self.enabled != Some(false) && policy != Some(false)
    }

    /// With the built-in values where nothing is said, and nothing of what is switched off.
    pub(crate) fn resolved(&self) -> Settings {
        use crate::clock::nanos;
        let mut settings = Settings::DEFAULT;
        let set = |place: &mut u64, time: Option<Duration>| {
            if let Some(time) = time {
                *place = nanos(time);
            }
        };
        set(&mut settings.schedule.base, self.base_delay);
        set(&mut settings.schedule.max, self.max_delay);
        set(&mut settings.max_retry_after, self.max_retry_after);
        set(&mut settings.max_wait, self.max_wait.map(|MaxWait(wait)| wait));
        settings.schedule.backoff = self.backoff.unwrap_or_default();
        settings.schedule.jitter = self.jitter.unwrap_or_default();
        if self.is_on(self.retries_enabled) {
            // So that the number of attempts fits into as many bits.
            settings.retries = self.retries.unwrap_or(0).min(u32::MAX - 1);
        }
        if self.is_on(self.timeout_enabled) {
            set(&mut settings.timeout, self.timeout);
        }
        if self.is_on(self.deadline_enabled) {
            set(&mut settings.deadline, self.deadline);
        }
        settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_is_named() {
        let problem = |overrides: Overrides| overrides.problem().unwrap_or_default();
        for ratio in [0.0, -0.1, 10.1, f64::NAN] {
            assert!(problem(Overrides::new().budget(ratio)).contains("above 0 and at most 10"), "{ratio}");
        }
        assert_eq!(problem(Overrides::new().budget(10.0)), "");
        assert_eq!(problem(Overrides::new().shared_budget("")), "`budget` may not be an empty name");
        let rate = Rate::per_second(1);
        assert!(problem(Overrides::new().rate(Rate::per_second(0))).starts_with("`rate`: "));
        assert!(problem(Overrides::new().rate(Rate::per_second(0)).burst(3)).starts_with("`rate`: "));
        assert_eq!(problem(Overrides::new().rate(rate.burst(0))), "`burst` must be at least 1");
        assert!(problem(Overrides::new().rate(Rate::per_day(1)).burst(1_000_000)).starts_with("`burst` beside this `rate`: "));
    }

    #[test]
    fn attempts_are_never_more_than_can_be_counted() {
        assert_eq!(Overrides::new().retries(u32::MAX).resolved().retries, u32::MAX - 1);
    }
}
