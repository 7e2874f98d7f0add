//! What a program says at its start of the resources that its functions share.

use crate::breaker::Breaker;
use crate::bucket::Bucket;
use crate::budget::RetryBudget;
use crate::bulkhead::{Bulkhead, Concurrency};
use crate::circuit_breaker::CircuitBreaker;
use crate::keyed::KeyedBreakers;
use crate::rate::Rate;
use crate::registry::{self, Configured};
use std::collections::HashMap;
use std::fmt;

/// Settings for shared resources, collected and then [installed](Self::install) together.
#[must_use = "a configuration does nothing until it is installed"]
#[derive(Debug, Default)]
pub struct Configuration {
    breakers: Vec<(String, CircuitBreaker)>,
    buckets: Vec<(String, Rate)>,
    bulkheads: Vec<(String, Concurrency)>,
    budgets: Vec<(String, RetryBudget)>,
}

/// Begins a configuration.
///
/// ```
/// # use resilient_runtime as resilient;
/// use resilient::{CircuitBreaker, Concurrency, Rate};
/// use std::time::Duration;
///
/// resilient::configure()
///     .breaker("payments", CircuitBreaker::new().failure_threshold(5).recovery_timeout(Duration::from_secs(10)))
///     .bucket("stripe", Rate::per_second(100).burst(20))
///     .bulkhead("db", Concurrency::limit(16))
///     .install()?;
/// # Ok::<(), resilient::ConfigError>(())
/// ```
pub fn configure() -> Configuration {
    Configuration::default()
}

impl Configuration {
    /// The settings of the circuit breaker of that name.
    pub fn breaker(mut self, name: impl Into<String>, settings: CircuitBreaker) -> Self {
        self.breakers.push((name.into(), settings));
        self
    }

    /// The rate of the token bucket of that name.
    pub fn bucket(mut self, name: impl Into<String>, rate: Rate) -> Self {
        self.buckets.push((name.into(), rate));
        self
    }

    /// The limit of the bulkhead of that name.
    pub fn bulkhead(mut self, name: impl Into<String>, limit: Concurrency) -> Self {
        self.bulkheads.push((name.into(), limit));
        self
    }

    /// The settings of the retry budget of that name.
    pub fn budget(mut self, name: impl Into<String>, settings: RetryBudget) -> Self {
        self.budgets.push((name.into(), settings));
        self
    }

    /// Puts all of it into force, for resources in use as well; their states and debts stay. What an earlier configuration said is
    /// forgotten.
    ///
    /// # Errors
    ///
    /// Every mistake at once, and then nothing has changed: a setting out of range, an empty name, a name given twice.
    pub fn install(self) -> Result<(), ConfigError> {
        let mut problems = Vec::new();
        let configured = Configured {
            breakers: checked("breaker", self.breakers, CircuitBreaker::problem, &mut problems),
            buckets: checked("bucket", self.buckets, Rate::problem, &mut problems),
            bulkheads: checked("bulkhead", self.bulkheads, |limit| limit.problem(), &mut problems),
            budgets: checked("budget", self.budgets, RetryBudget::problem, &mut problems),
        };
        if !problems.is_empty() {
            return Err(ConfigError { problems });
        }
        registry::configure(configured);
        Ok(())
    }
}

fn checked<S>(
    what: &str,
    given: Vec<(String, S)>,
    problem: impl Fn(&S) -> Option<&'static str>,
    problems: &mut Vec<String>,
) -> HashMap<String, S> {
    let mut named = HashMap::new();
    for (name, settings) in given {
        if name.is_empty() {
            problems.push(format!("a {what}'s name may not be empty"));
        }
        problems.extend(problem(&settings).map(|problem| format!("{what} `{name}`: {problem}")));
        if named.contains_key(&name) {
            problems.push(format!("{what} `{name}` is configured twice"));
        }
        named.insert(name, settings);
    }
    named
}

/// Everything that is wrong with a configuration or a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<String>,
}

impl ConfigError {
    pub(crate) fn unless_empty(problems: Vec<String>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self { problems }) }
    }

    /// Each mistake, as a sentence.
    pub fn problems(&self) -> impl Iterator<Item = &str> {
        self.problems.iter().map(String::as_str)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.problems.join("; "))
    }
}

impl std::error::Error for ConfigError {}

/// The circuit breaker of that name, which every `breaker = "name"` shares; created if nobody has used it yet.
///
/// A name that comes from outside the program should be checked before: every name lives as long as the process.
///
/// ```
/// # use resilient_runtime as resilient;
/// assert_eq!(resilient::breaker("payments").state(), resilient::State::Closed);
/// ```
#[must_use]
pub fn breaker(name: &str) -> &'static Breaker {
    registry::breaker(name)
}

/// The circuit breakers that a name has for its keys, which every `breaker = "name", key = …` shares. [`breaker`] is another one,
/// of the functions that name it without a `key`; the settings are the same.
///
/// ```
/// # use resilient_runtime as resilient;
/// let partners = resilient::keyed_breakers("partner");
/// if let Some(breaker) = partners.get("tenant 17") {
///     breaker.reset();
/// }
/// partners.reset(); // all of them
/// ```
#[must_use]
pub fn keyed_breakers(name: &str) -> KeyedBreakers {
    KeyedBreakers(registry::keyed_breakers(name))
}

/// The token bucket of that name, which every `bucket = "name"` shares; created if nobody has used it yet, with 10 per second if
/// nobody says otherwise.
///
/// ```
/// # use resilient_runtime as resilient;
/// assert!(resilient::bucket("stripe").try_acquire(1).is_ok());
/// ```
#[must_use]
pub fn bucket(name: &str) -> &'static Bucket {
    registry::bucket(name)
}

/// The bulkhead of that name, which every `bulkhead = "name"` shares; created if nobody has used it yet, for 16 calls if nobody
/// says otherwise.
///
/// ```
/// # use resilient_runtime as resilient;
/// assert_eq!(resilient::bulkhead("db").in_flight(), 0);
/// ```
#[must_use]
pub fn bulkhead(name: &str) -> &'static Bulkhead {
    registry::bulkhead(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Finder;
    use std::time::Duration;

    #[test]
    fn every_mistake_is_told_and_nothing_changes() {
        let error = configure()
            .breaker("configure-a", CircuitBreaker::new().failure_threshold(0))
            .breaker(
                "configure-b",
                CircuitBreaker::new().recovery_timeout(Duration::from_secs(90)).max_recovery_timeout(Duration::from_secs(60)),
            )
            .breaker("", CircuitBreaker::new())
            .bucket("configure-c", Rate::per_second(0))
            .bucket("configure-d", Rate::per_second(5))
            .bucket("configure-d", Rate::per_second(6))
            .bulkhead("configure-e", Concurrency::limit(0))
            .budget("configure-f", RetryBudget::new().ratio(f64::NAN))
            .install()
            .expect_err("seven mistakes");
        assert_eq!(
            error.problems().collect::<Vec<_>>(),
            [
                "breaker `configure-a`: `failure_threshold` must be from 1 to 1000000",
                "breaker `configure-b`: `max_recovery_timeout` must be at least `recovery_timeout` (5s where that is not set)",
                "a breaker's name may not be empty",
                "bucket `configure-c`: a rate must be greater than zero",
                "bucket `configure-d` is configured twice",
                "bulkhead `configure-e`: `concurrency` must be from 1 to 1000000",
                "budget `configure-f`: `ratio` must be from 0 to 10",
            ]
        );
        assert_eq!(bucket("configure-d").rate(), Rate::per_second(10));
    }

    #[test]
    fn configuration_goes_before_the_attribute_and_the_attribute_before_the_default() {
        let mut finder = Finder { function: "f", contradictions: Vec::new() };
        assert_eq!(bucket("merged").rate(), Rate::per_second(10));
        assert_eq!(finder.bucket("merged", Some(Rate::per_second(7).burst(3))).rate(), Rate::per_second(7).burst(3));
        assert_eq!(finder.contradictions.len(), 0);
        assert_eq!(finder.bucket("merged", Some(Rate::per_second(9))).rate(), Rate::per_second(7).burst(3));
        assert_eq!(finder.contradictions.len(), 1);
        assert_eq!(finder.bulkhead("merged", Some(Concurrency::limit(4))).limit(), 4);
        configure().bucket("merged", Rate::per_second(50)).bulkhead("merged", Concurrency::limit(2)).install().expect("valid");
        assert_eq!(bucket("merged").rate(), Rate::per_second(50).burst(3));
        assert_eq!(bulkhead("merged").limit(), 2);
        configure().install().expect("valid");
        assert_eq!(bucket("merged").rate(), Rate::per_second(7).burst(3));
    }
}
