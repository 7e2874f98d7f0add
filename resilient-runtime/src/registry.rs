//! What functions share by name: created on first use, there for the life of the process, found by a function once.

use crate::breaker::Breaker;
use crate::bucket::Bucket;
use crate::budget::{Budget, RetryBudget};
use crate::bulkhead::{Bulkhead, Concurrency};
use crate::catalog::{self, Said};
use crate::circuit_breaker::CircuitBreaker;
use crate::clock::now;
use crate::configure::layer::Kind;
use crate::configure::table::Table;
use crate::configure::words::{Words, words};
use crate::events;
use crate::keyed::{Both, DEFAULT_MAX_KEYS, Family, Kept, max_keys_problem};
use crate::plan::Declared;
use crate::rate::Rate;
use crate::sync::{Mutex, MutexGuard, lock, seeded};
use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::LazyLock;

/// Something that functions share by name.
pub(crate) trait Shared: Sized + Send + Sync + 'static {
    type Settings: Words;
    const WHAT: &'static str;
    /// What an attribute says beside a name of this kind.
    fn inline(declared: &Declared) -> Option<(&'static str, Self::Settings)>;
    /// What holds beside those settings where neither configuration nor attribute say anything.
    fn built_in(said: &Self::Settings) -> Self::Settings;
    fn create(name: &'static str, settings: Self::Settings) -> Self;
    /// Takes new settings and keeps the state; told one change at a time.
    fn change(&self, settings: Self::Settings);
}

/// All resources of one kind.
pub(crate) struct Shelf<T: Shared> {
    named: HashMap<&'static str, Entry<T>>,
    configured: Settled<T::Settings>,
    /// Found with the first resource, so that not every one asks all functions.
    said: OnceCell<Said<T>>,
}

/// What configuration says of resources of one kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Settled<S> {
    pub(crate) named: BTreeMap<String, Table<S>>,
    pub(crate) defaults: Table<S>,
}

impl<S: Words> Settled<S> {
    /// What holds for that name, with what a function says beside it; what nobody says is not in it.
    pub(crate) fn settings(&self, name: &str, inline: Option<S>) -> S {
        let named = self.named.get(name).map_or(S::default(), |table| table.settings);
        named.or(inline.unwrap_or_default()).or(self.defaults.settings)
    }
}

struct Entry<T: Shared> {
    resource: &'static T,
    inline: Option<Inline<T>>,
}

/// Settings beside a name in an attribute, and the function that has it.
type Inline<T> = (<T as Shared>::Settings, &'static str);

impl<T: Shared> Default for Shelf<T> {
    fn default() -> Self {
        Self { named: HashMap::new(), configured: Settled::default(), said: OnceCell::new() }
    }
}

impl<T: Shared> Shelf<T> {
    fn entry(&mut self, name: &str, inline: Option<Inline<T>>) -> &mut Entry<T> {
        if !self.named.contains_key(name) {
            let name = intern(name);
            let inline = inline.or_else(|| self.said_beside(name));
            let settings = self.configured.settings(name, inline.map(|(settings, _)| settings));
            let resource = Box::leak(Box::new(T::create(name, settings)));
            self.named.insert(name, Entry { resource, inline });
        }
        self.named.get_mut(name).unwrap_or_else(|| unreachable!("inserted above"))
    }

    /// What the first of the program's functions, called or not, says beside that name.
    fn said_beside(&self, name: &str) -> Option<Inline<T>> {
        let said = self.said.get_or_init(catalog::said::<T>).get(name)?;
        Some((said.0, said.1.name))
    }

    fn resource(&mut self, name: &str) -> &'static T {
        self.entry(name, None).resource
    }

    fn heard(&self) -> Heard<T::Settings> {
        self.named.iter().filter_map(|(name, entry)| Some((*name, entry.inline?))).collect()
    }

    fn resources(&self) -> Vec<&'static T> {
        self.named.values().map(|entry| entry.resource).collect()
    }

    /// The resource of that name, which `function` gives settings. The first function to do so is heard; another one that says
    /// something else is contradicted by the one that is returned.
    fn declared(&mut self, name: &str, inline: T::Settings, function: &'static str) -> (&'static T, Option<&'static str>) {
        let settings = self.configured.settings(name, Some(inline));
        let entry = self.entry(name, Some((inline, function)));
        let (first, by) = *entry.inline.get_or_insert_with(|| {
            entry.resource.change(settings);
            (inline, function)
        });
        (entry.resource, (first != inline).then_some(by))
    }

    fn configure(&mut self, configured: &Settled<T::Settings>) {
        self.configured = configured.clone();
        for (name, entry) in &self.named {
            entry.resource.change(self.configured.settings(name, entry.inline.map(|(settings, _)| settings)));
        }
    }
}

impl Shared for Breaker {
    type Settings = CircuitBreaker;
    const WHAT: &'static str = "breaker";

    fn inline(declared: &Declared) -> Option<(&'static str, CircuitBreaker)> {
        declared.inline_breaker()
    }

    fn built_in(said: &CircuitBreaker) -> CircuitBreaker {
        said.built_in()
    }

    fn create(name: &'static str, settings: CircuitBreaker) -> Self {
        Self::new(name, settings)
    }

    fn change(&self, settings: CircuitBreaker) {
        self.change_settings(settings);
    }
}

/// The settings of a token bucket; its rate and burst come from different mouths.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct BucketSettings {
    rate: Option<Rate>,
    burst: Option<u32>,
    enabled: Option<bool>,
    pub(crate) max_keys: Option<u32>,
}

words! { BucketSettings { rate = "rate", burst = "burst", enabled = "enabled", max_keys = "max_keys" } }

impl BucketSettings {
    const RATE: Rate = Rate::per_second(10);

    pub(crate) fn of(rate: Option<Rate>, burst: Option<u32>) -> Self {
        let of_rate = |other: fn(&Rate) -> Option<u32>| rate.as_ref().and_then(other);
        Self {
            rate: rate.map(Rate::alone),
            burst: burst.or(of_rate(Rate::own_burst)),
            enabled: None,
            max_keys: of_rate(Rate::own_max_keys),
        }
    }

    pub(crate) fn with_max_keys(mut self, max_keys: Option<u32>) -> Self {
        self.max_keys = max_keys.or(self.max_keys);
        self
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.enabled != Some(false)
    }

    pub(crate) fn rate(&self) -> Rate {
        let rate = self.rate.unwrap_or(Self::RATE);
        self.burst.map_or(rate, |burst| rate.burst(burst))
    }

    fn problem(&self) -> Option<String> {
        let Some(problem) = self.rate().problem() else { return max_keys_problem(self.max_keys).map(str::to_owned) };
        let is_alone = |rate: Option<Rate>, burst| Self { rate, burst, ..Self::default() }.rate().problem().is_some();
        let whose = match (is_alone(self.rate, None), is_alone(Some(Rate::per_second(1)), self.burst)) {
            (true, _) => "`rate`",
            (_, true) => "`burst`",
            _ => "`burst` beside this `rate`",
        };
        Some(format!("{whose}: {problem}"))
    }
}

impl Shared for Bucket {
    type Settings = BucketSettings;
    const WHAT: &'static str = "bucket";

    fn inline(declared: &Declared) -> Option<(&'static str, BucketSettings)> {
        declared.bucket.map(|name| (name, declared.bucket_settings(&declared.own)))
    }

    fn built_in(said: &BucketSettings) -> BucketSettings {
        let rate = said.rate.unwrap_or(BucketSettings::RATE);
        let burst = u32::try_from(rate.resolved_burst()).ok();
        BucketSettings { rate: Some(rate), burst, enabled: Some(true), max_keys: Some(DEFAULT_MAX_KEYS) }
    }

    fn create(name: &'static str, settings: BucketSettings) -> Self {
        let bucket = Self::new(Some(name), settings.rate());
        bucket.enable(settings.is_enabled());
        bucket
    }

    fn change(&self, settings: BucketSettings) {
        self.change_rate(settings.rate(), now());
        self.enable(settings.is_enabled());
    }
}

/// The settings of a bulkhead.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct BulkheadSettings {
    concurrency: Option<u32>,
    enabled: Option<bool>,
    pub(crate) max_keys: Option<u32>,
}

words! { BulkheadSettings { concurrency = "concurrency", enabled = "enabled", max_keys = "max_keys" } }

impl BulkheadSettings {
    const CONCURRENCY: u32 = 16;

    pub(crate) fn of(limit: Option<Concurrency>) -> Self {
        Self { concurrency: limit.map(Concurrency::calls), enabled: None, max_keys: limit.and_then(Concurrency::own_max_keys) }
    }

    pub(crate) fn with_max_keys(mut self, max_keys: Option<u32>) -> Self {
        self.max_keys = max_keys.or(self.max_keys);
        self
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.enabled != Some(false)
    }

    pub(crate) fn limit(&self) -> Concurrency {
        Concurrency::limit(self.concurrency.unwrap_or(Self::CONCURRENCY))
    }

    fn problem(&self) -> Option<&'static str> {
        self.limit().problem().or(max_keys_problem(self.max_keys))
    }
}

impl Shared for Bulkhead {
    type Settings = BulkheadSettings;
    const WHAT: &'static str = "bulkhead";

    fn inline(declared: &Declared) -> Option<(&'static str, BulkheadSettings)> {
        declared.bulkhead.map(|name| (name, declared.bulkhead_settings(&declared.own)))
    }

    fn built_in(_said: &BulkheadSettings) -> BulkheadSettings {
        BulkheadSettings { concurrency: Some(BulkheadSettings::CONCURRENCY), enabled: Some(true), max_keys: Some(DEFAULT_MAX_KEYS) }
    }

    fn create(name: &'static str, settings: BulkheadSettings) -> Self {
        let bulkhead = Self::new(Some(name), settings.limit());
        bulkhead.enable(settings.is_enabled());
        bulkhead
    }

    fn change(&self, settings: BulkheadSettings) {
        self.change_limit(settings.limit());
        self.enable(settings.is_enabled());
    }
}

impl Shared for Budget {
    type Settings = RetryBudget;
    const WHAT: &'static str = "budget";

    /// An attribute says its name, and nothing of it.
    fn inline(_declared: &Declared) -> Option<(&'static str, RetryBudget)> {
        None
    }

    fn built_in(_said: &RetryBudget) -> RetryBudget {
        RetryBudget::BUILT_IN
    }

    fn create(_name: &'static str, settings: RetryBudget) -> Self {
        Self::new(settings)
    }

    fn change(&self, settings: RetryBudget) {
        Self::change(self, settings);
    }
}

#[derive(Default)]
struct Registry {
    breakers: Shelf<Both<Breaker>>,
    buckets: Shelf<Both<Bucket>>,
    bulkheads: Shelf<Both<Bulkhead>>,
    budgets: Shelf<Budget>,
    /// The pools that come with a breaker's name; configuration knows their defaults alone.
    breaker_budgets: Shelf<Budget>,
}

static REGISTRY: LazyLock<Mutex<Registry>> = LazyLock::new(Mutex::default);

/// Names live as long as the process; each is kept once.
pub(crate) fn intern(name: &str) -> &'static str {
    static NAMES: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);
    let mut names = lock(&NAMES);
    if let Some(known) = names.get(name) {
        return known;
    }
    let name: &'static str = Box::leak(name.into());
    names.insert(name);
    name
}

fn registry() -> MutexGuard<'static, Registry> {
    lock(&REGISTRY)
}

/// Two functions say different things of one name; the first stays. Told when no lock is held.
pub(crate) struct Contradiction {
    what: &'static str,
    name: String,
    pub(crate) first: &'static str,
    pub(crate) second: &'static str,
}

impl Contradiction {
    pub(crate) fn tell(self) {
        events::conflicting_settings(self.what, &self.name, self.first, self.second);
    }
}

/// A function that looks up what it names.
pub(crate) struct Finder {
    pub(crate) function: &'static str,
    /// What holds for the pool of a function's own.
    pub(crate) default_budget: RetryBudget,
    pub(crate) contradictions: Vec<Contradiction>,
}

impl Finder {
    pub(crate) fn new(function: &'static str) -> Self {
        let default_budget = registry().budgets.configured.defaults.settings;
        Self { function, default_budget, contradictions: Vec::new() }
    }

    /// The resource of that name, on the shelf that `pick` picks.
    fn find<T: Shared>(&mut self, pick: impl Fn(&mut Registry) -> &mut Shelf<T>, name: &str, inline: T::Settings) -> &'static T {
        if seeded!("registry: check then insert") && !pick(&mut registry()).named.contains_key(name) {
            pick(&mut registry()).named.remove(name);
        }
        let mut registry = registry();
        let resources = pick(&mut registry);
        if inline == T::Settings::default() {
            return resources.resource(name);
        }
        let (resource, contradicting) = resources.declared(name, inline, self.function);
        self.contradictions.extend(contradicting.map(|first| Contradiction {
            what: T::WHAT,
            name: name.to_owned(),
            first,
            second: self.function,
        }));
        resource
    }

    pub(crate) fn breaker(&mut self, name: &str, inline: CircuitBreaker) -> &'static Both<Breaker> {
        self.find(|registry| &mut registry.breakers, name, inline)
    }

    pub(crate) fn bucket(&mut self, name: &str, inline: BucketSettings) -> &'static Both<Bucket> {
        self.find(|registry| &mut registry.buckets, name, inline)
    }

    pub(crate) fn bulkhead(&mut self, name: &str, inline: BulkheadSettings) -> &'static Both<Bulkhead> {
        self.find(|registry| &mut registry.bulkheads, name, inline)
    }

    /// What this function says that others contradict, told when no lock is held.
    pub(crate) fn tell(self) {
        self.contradictions.into_iter().for_each(Contradiction::tell);
    }
}

pub(crate) fn breaker(name: &str) -> &'static Breaker {
    &registry().breakers.resource(name).one
}

pub(crate) fn keyed_breakers(name: &str) -> &'static Family<Breaker> {
    registry().breakers.resource(name).keyed()
}

pub(crate) fn bucket(name: &str) -> &'static Bucket {
    &registry().buckets.resource(name).one
}

pub(crate) fn bulkhead(name: &str) -> &'static Bulkhead {
    &registry().bulkheads.resource(name).one
}

/// As at the start of a process.
#[cfg(all(test, any(interleaved = "loom", interleaved = "shuttle")))]
pub(crate) fn start_anew() {
    *registry() = Registry::default();
    crate::configure::installed::start_anew();
}

#[cfg(test)]
pub(crate) fn hold_lock() -> impl Sized {
    registry()
}

pub(crate) fn budget(name: &str) -> &'static Budget {
    registry().budgets.resource(name)
}

pub(crate) fn budget_of_breaker(breaker: &str) -> &'static Budget {
    registry().breaker_budgets.resource(breaker)
}

/// Everything that a configuration says of shared resources.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Configured {
    pub(crate) breakers: Settled<CircuitBreaker>,
    pub(crate) buckets: Settled<BucketSettings>,
    pub(crate) bulkheads: Settled<BulkheadSettings>,
    pub(crate) budgets: Settled<RetryBudget>,
}

/// Takes the place of what was configured before.
pub(crate) fn configure(configured: &Configured) {
    let mut registry = registry();
    registry.breakers.configure(&configured.breakers);
    registry.buckets.configure(&configured.buckets);
    registry.bulkheads.configure(&configured.bulkheads);
    registry.budgets.configure(&configured.budgets);
    let defaults = configured.budgets.defaults.clone();
    registry.breaker_budgets.configure(&Settled { named: BTreeMap::new(), defaults });
}

/// After [`configure`], when the caller holds no lock either.
pub(crate) fn wake() {
    let registry = registry();
    let (buckets, bulkheads) = (registry.buckets.resources(), registry.bulkheads.resources());
    drop(registry);
    for both in buckets {
        both.one.wake();
        wake_keys(both);
    }
    for both in bulkheads {
        both.one.wake();
        wake_keys(both);
    }
}

fn wake_keys<T: Kept>(both: &Both<T>) {
    if let Some(family) = both.known() {
        T::wake(family);
    }
}

/// What is heard beside names that somebody has used by now, and whose word it is.
pub(crate) type Heard<S> = HashMap<&'static str, (S, &'static str)>;

/// That of every kind of which an attribute or a policy says anything beside a name.
pub(crate) struct AllHeard {
    pub(crate) breakers: Heard<CircuitBreaker>,
    pub(crate) buckets: Heard<BucketSettings>,
    pub(crate) bulkheads: Heard<BulkheadSettings>,
}

pub(crate) fn heard() -> AllHeard {
    let registry = registry();
    AllHeard { breakers: registry.breakers.heard(), buckets: registry.buckets.heard(), bulkheads: registry.bulkheads.heard() }
}

/// The names of that kind that somebody has used by now.
pub(crate) fn names(kind: Kind) -> Vec<&'static str> {
    let registry = registry();
    match kind {
        Kind::Breakers => registry.breakers.named.keys().copied().collect(),
        Kind::Buckets => registry.buckets.named.keys().copied().collect(),
        Kind::Bulkheads => registry.bulkheads.named.keys().copied().collect(),
        Kind::Budgets => registry.budgets.named.keys().copied().collect(),
        Kind::Functions | Kind::Defaults | Kind::Switches => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    static ASKED: AtomicUsize = AtomicUsize::new(0);

    struct Counted;

    impl Shared for Counted {
        type Settings = RetryBudget;
        const WHAT: &'static str = "counted";

        fn inline(_declared: &Declared) -> Option<(&'static str, RetryBudget)> {
            ASKED.fetch_add(1, Ordering::Relaxed);
            None
        }

        fn built_in(said: &RetryBudget) -> RetryBudget {
            *said
        }

        fn create(_name: &'static str, _settings: RetryBudget) -> Self {
            Self
        }

        fn change(&self, _settings: RetryBudget) {}
    }

    #[test]
    fn a_thousand_resources_ask_every_function_once() {
        let mut shelf = Shelf::<Counted>::default();
        for number in 0..1_000 {
            shelf.resource(&format!("counted {number}"));
        }
        assert_eq!(ASKED.load(Ordering::Relaxed), catalog::sites().count());
    }
}
