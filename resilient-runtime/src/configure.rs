//! What a program says at its start of its functions and of what they share.

pub(crate) mod check;
mod current;
mod distance;
mod environment;
#[cfg(feature = "config")]
mod file;
#[cfg(all(fuzzing, feature = "config"))]
pub(crate) mod fuzz;
pub(crate) mod installed;
pub(crate) mod known;
pub(crate) mod layer;
mod problem;
mod recipe;
mod spelling;
pub(crate) mod table;
#[cfg(all(any(test, fuzzing), feature = "config"))]
pub(crate) mod taste;
pub(crate) mod value;
#[cfg_attr(not(feature = "watch"), path = "configure/no_watch.rs")]
mod watch;
pub(crate) mod words;

use crate::breaker::Breaker;
use crate::bucket::Bucket;
use crate::budget::RetryBudget;
use crate::bulkhead::{Bulkhead, Concurrency};
use crate::circuit_breaker::CircuitBreaker;
use crate::keyed::KeyedBreakers;
use crate::overrides::{ALWAYS_GIVEN, Overrides};
use crate::rate::Rate;
use crate::registry::{self, BucketSettings, BulkheadSettings};
pub use current::reload;
use layer::{Kind, Switches};
pub use problem::{ConfigError, Problem};
use recipe::Recipe;
use table::{Place, Table};
use words::{Words, said};

/// Settings for functions and for what they share, collected and then [installed](Self::install) together.
///
/// # Who is heard
///
/// For each setting the environment is heard before files, and files before code; of two files the one named later.
///
/// A function's own settings: what [functions](Self::function) of that name or pattern are given, then the attribute, then
/// [defaults](Self::defaults), then what is built in. Settings that are shared by name: those of the name, then what an attribute says
/// beside it, then defaults, then what is built in.
///
/// # What it cannot do
///
/// Configuration tunes policies and never adds one. A [`Policy`](crate::Policy) is not configured by name; the breaker, bucket,
/// bulkhead or budget that it shares is. A call takes one snapshot of its function's settings when it begins; what is shared changes
/// for all at once, each thing as a whole.
///
/// Every name is checked against the functions that are linked into the program: [`catalog()`](crate::catalog()).
#[must_use = "a configuration does nothing until it is installed"]
#[derive(Debug, Default)]
pub struct Configuration {
    recipe: Recipe,
    problems: Vec<Problem>,
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
///     .env("SHOP")
///     .install()?;
/// # Ok::<(), resilient::ConfigError>(())
/// ```
pub fn configure() -> Configuration {
    Configuration::default()
}

impl Configuration {
    /// The settings of the circuit breaker of that name.
    pub fn breaker(mut self, name: impl Into<String>, settings: CircuitBreaker) -> Self {
        let name = self.named("breaker", Kind::Breakers, name.into());
        let table = self.recipe.code.shared.breakers.table(&name);
        add(table, settings, &mut self.problems, || format!("breaker `{name}`"));
        self
    }

    /// The rate of the token bucket of that name.
    pub fn bucket(mut self, name: impl Into<String>, rate: Rate) -> Self {
        let name = self.named("bucket", Kind::Buckets, name.into());
        let table = self.recipe.code.shared.buckets.table(&name);
        add(table, BucketSettings::of(Some(rate), None), &mut self.problems, || format!("bucket `{name}`"));
        self
    }

    /// The limit of the bulkhead of that name.
    pub fn bulkhead(mut self, name: impl Into<String>, limit: Concurrency) -> Self {
        let name = self.named("bulkhead", Kind::Bulkheads, name.into());
        let table = self.recipe.code.shared.bulkheads.table(&name);
        add(table, BulkheadSettings::of(Some(limit)), &mut self.problems, || format!("bulkhead `{name}`"));
        self
    }

    /// The settings of the retry budget of that name.
    pub fn budget(mut self, name: impl Into<String>, settings: RetryBudget) -> Self {
        let name = self.named("budget", Kind::Budgets, name.into());
        let table = self.recipe.code.shared.budgets.table(&name);
        add(table, settings, &mut self.problems, || format!("budget `{name}`"));
        self
    }

    /// The settings of the function of that name (`crate::module::function`), or of all whose names begin so: `"shop::*"`. Where
    /// several match, the longest is heard.
    ///
    /// ```
    /// # use resilient_runtime as resilient;
    /// use resilient::Overrides;
    /// use std::time::Duration;
    ///
    /// # let nobody_has_functions_here =
    /// resilient::configure()
    ///     .function("shop::payments::charge", Overrides::new().retries(1))
    ///     .function("shop::*", Overrides::new().deadline(Duration::from_secs(5)))
    ///     .install();
    /// # assert!(nobody_has_functions_here.is_err());
    /// ```
    pub fn function(mut self, pattern: impl Into<String>, settings: Overrides) -> Self {
        let pattern = self.named("function", Kind::Functions, pattern.into());
        let table = self.recipe.code.function(&pattern);
        add(table, settings, &mut self.problems, || format!("function `{pattern}`"));
        self
    }

    /// What holds for functions whose attribute does not say it. Only what an attribute may leave out has a default: delays,
    /// `backoff`, `jitter`, `max_retry_after`, `max_wait`, `budget`.
    pub fn defaults(mut self, settings: Overrides) -> Self {
        for word in said(&settings).filter(|word| ALWAYS_GIVEN.contains(word) || word.contains("enabled")) {
            let message = format!("`{word}` has no default; for all functions, say it with `function(\"*\", …)`");
            self.problems.push(Problem::new(message, Some(Place::Code)));
        }
        add(&mut self.recipe.code.defaults, settings, &mut self.problems, || "the default of functions".to_owned());
        self
    }

    /// What holds for breakers where neither their own settings nor an attribute say it.
    pub fn default_breaker(mut self, settings: CircuitBreaker) -> Self {
        let table = &mut self.recipe.code.shared.breakers.defaults;
        add(table, settings, &mut self.problems, || "the default of breakers".to_owned());
        self
    }

    /// The rate of named token buckets where neither their own settings nor an attribute say it.
    pub fn default_bucket(mut self, rate: Rate) -> Self {
        let table = &mut self.recipe.code.shared.buckets.defaults;
        add(table, BucketSettings::of(Some(rate), None), &mut self.problems, || "the default of buckets".to_owned());
        self
    }

    /// The limit of named bulkheads where neither their own settings nor an attribute say it.
    pub fn default_bulkhead(mut self, limit: Concurrency) -> Self {
        let table = &mut self.recipe.code.shared.bulkheads.defaults;
        add(table, BulkheadSettings::of(Some(limit)), &mut self.problems, || "the default of bulkheads".to_owned());
        self
    }

    /// What holds for retry budgets, named ones and functions' own, where nobody else says it.
    pub fn default_budget(mut self, settings: RetryBudget) -> Self {
        let table = &mut self.recipe.code.shared.budgets.defaults;
        add(table, settings, &mut self.problems, || "the default of budgets".to_owned());
        self
    }

    /// `false` switches all retries off, whatever attributes, policies and settings say.
    pub fn retries_enabled(mut self, enabled: bool) -> Self {
        self.recipe.code.switches = Table::of_code(Switches { retries: Some(enabled) });
        self
    }

    /// Reads a TOML file when it is installed, and again at each [`reload`](crate::reload). A file that is not there is a mistake.
    ///
    /// ```toml
    /// [defaults]
    /// max_delay = "5s"
    ///
    /// [breakers.payments]
    /// failure_threshold = 3
    ///
    /// [functions."shop::payments::charge"]
    /// retries = 1
    /// breaker.enabled = false
    /// ```
    #[cfg(feature = "config")]
    pub fn file(mut self, path: impl Into<std::path::PathBuf>) -> Self {
        self.recipe.files.push(path.into());
        self
    }

    /// Reads the variables of the environment whose names begin with that prefix and `__`, when it is installed and at each
    /// [`reload`](crate::reload).
    ///
    /// `SHOP__BREAKERS__PAYMENTS__FAILURE_THRESHOLD=3`: the table, the name of the thing in upper case with `_` for what is no letter or
    /// digit, the setting. A function `shop::charge` is written `SHOP__CHARGE`.
    pub fn env(mut self, prefix: impl Into<String>) -> Self {
        self.recipe.prefix = Some(prefix.into());
        self
    }

    /// Needs the feature `watch`. Looks at the files every so often from a thread of its own, and takes what has changed. What cannot be taken is told by the
    /// event `configuration_refused`, and the old configuration stays. A change is taken when two looks in a row
    /// have found it, so half-written files are waited out. It looks at what the files say, not at when they changed, so it does not
    /// matter how they are replaced.
    #[cfg(feature = "watch")]
    pub fn watch(mut self, every: std::time::Duration) -> Self {
        self.recipe.watch = Some(every);
        self
    }

    /// Names that nobody uses, patterns that match no function, settings of policies that a function does not have, and attributes that
    /// contradict each other are told by the event `configuration_warning`, not refused.
    pub fn lenient(mut self) -> Self {
        self.recipe.is_lenient = true;
        self
    }

    /// Puts all of it into force, for functions and resources in use as well; states and debts stay. What an earlier configuration said
    /// is forgotten.
    ///
    /// # Errors
    ///
    /// Every mistake at once, and then nothing has changed: what cannot be read, unknown words, values out of range, things that are
    /// configured twice in code, names that look misspelt beside those that the program's functions use, patterns that match no
    /// function.
    pub fn install(self) -> Result<(), ConfigError> {
        current::install(self.recipe, self.problems)
    }

    fn named(&mut self, what: &str, kind: Kind, name: String) -> String {
        if name.trim().is_empty() {
            self.problems.push(Problem::new(format!("a {what}'s name may not be empty"), Some(Place::Code)));
        }
        self.recipe.code.name(kind, &name, Place::Code);
        name
    }
}

fn add<S: Words>(table: &mut Table<S>, settings: S, problems: &mut Vec<Problem>, what: impl Fn() -> String) {
    if !table.is_empty() {
        problems.push(Problem::new(format!("{} is configured twice", what()), Some(Place::Code)));
    }
    *table = Table::of_code(settings);
}

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
#[cfg(feature = "config")]
mod tests;

#[cfg(test)]
mod unit {
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
            .default_bucket(Rate::per_second(5))
            .default_bucket(Rate::per_second(6))
            .defaults(Overrides::new().retries(3))
            .defaults(Overrides::new().max_wait(Duration::from_secs(1)))
            .lenient()
            .install()
            .expect_err("many mistakes");
        assert_eq!(
            error.problems().map(Problem::message).collect::<Vec<_>>(),
            [
                "a breaker's name may not be empty",
                "bucket `configure-d` is configured twice",
                "the default of buckets is configured twice",
                "`retries` has no default; for all functions, say it with `function(\"*\", …)`",
                "the default of functions is configured twice",
                "breaker `configure-a`: `failure_threshold` must be from 1 to 1000000",
                "breaker `configure-b`: `max_recovery_timeout` must be at least `recovery_timeout` (5s where that is not set)",
                "bucket `configure-c`: `rate`: a rate must be greater than zero",
                "bulkhead `configure-e`: `concurrency` must be from 1 to 1000000",
                "budget `configure-f`: `ratio` must be from 0 to 10",
            ]
        );
        assert_eq!(bucket("configure-d").rate(), Rate::per_second(10));
    }

    /// Where there is one, other tests install what they are about.
    #[cfg(not(feature = "config"))]
    #[test]
    fn what_code_says_holds_without_any_feature() {
        configure()
            .bucket("configure-h", Rate::per_second(7))
            .bulkhead("configure-h", Concurrency::limit(3))
            .lenient()
            .install()
            .unwrap();
        assert_eq!((bucket("configure-h").rate(), bulkhead("configure-h").limit()), (Rate::per_second(7), 3));
    }

    #[test]
    fn the_attribute_goes_before_the_default_and_the_first_is_heard() {
        let mut finder = Finder::new("f");
        let inline = |rate: u64| BucketSettings::of(Some(Rate::per_second(rate).burst(3)), None);
        assert_eq!(bucket("merged").rate(), Rate::per_second(10));
        assert_eq!(finder.bucket("merged", inline(7)).one.rate(), Rate::per_second(7).burst(3));
        assert_eq!(finder.contradictions.len(), 0);
        assert_eq!(finder.bucket("merged", inline(9)).one.rate(), Rate::per_second(7).burst(3));
        assert_eq!(finder.contradictions.len(), 1);
        assert_eq!(finder.bulkhead("merged", BulkheadSettings::of(Some(Concurrency::limit(4)))).one.limit(), 4);
    }
}
