//! What functions share by name: created on first use, there for the life of the process, found by a function once.

use crate::breaker::Breaker;
use crate::bucket::Bucket;
use crate::budget::{Budget, RetryBudget};
use crate::bulkhead::{Bulkhead, Concurrency};
use crate::circuit_breaker::CircuitBreaker;
use crate::clock::now;
use crate::events;
use crate::keyed::{Both, Family, Kept, Keys};
use crate::rate::Rate;
use crate::sync::{Mutex, MutexGuard, lock};
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// Something that functions share by name.
pub(crate) trait Shared: Sized + Send + Sync + 'static {
    type Settings: Copy + PartialEq + Send;
    const WHAT: &'static str;
    /// What holds where neither configuration nor attribute say anything.
    const DEFAULT: Self::Settings;
    fn create(name: &'static str, settings: Self::Settings) -> Self;
    /// Takes new settings and keeps the state; told one change at a time.
    fn change(&self, settings: Self::Settings);
    /// `first`, and where it says nothing `second`.
    fn merge(first: Self::Settings, second: Self::Settings) -> Self::Settings;
}

/// All resources of one kind.
struct Shelf<T: Shared> {
    named: HashMap<&'static str, Entry<T>>,
    configured: HashMap<String, T::Settings>,
}

struct Entry<T: Shared> {
    resource: &'static T,
    inline: Option<Inline<T>>,
}

/// Settings beside a name in an attribute, and the function that has it.
type Inline<T> = (<T as Shared>::Settings, &'static str);

impl<T: Shared> Default for Shelf<T> {
    fn default() -> Self {
        Self { named: HashMap::new(), configured: HashMap::new() }
    }
}

impl<T: Shared> Shelf<T> {
    fn entry(&mut self, name: &str, inline: Option<Inline<T>>) -> &mut Entry<T> {
        if !self.named.contains_key(name) {
            let name = intern(name);
            let settings = self.settings(name, inline.map(|(settings, _)| settings));
            let resource = Box::leak(Box::new(T::create(name, settings)));
            self.named.insert(name, Entry { resource, inline });
        }
        self.named.get_mut(name).unwrap_or_else(|| unreachable!("inserted above"))
    }

    fn resource(&mut self, name: &str) -> &'static T {
        self.entry(name, None).resource
    }

    fn settings(&self, name: &str, inline: Option<T::Settings>) -> T::Settings {
        let said = match (self.configured.get(name).copied(), inline) {
            (Some(configured), Some(inline)) => Some(T::merge(configured, inline)),
            (configured, inline) => configured.or(inline),
        };
        said.unwrap_or(T::DEFAULT)
    }

    /// The resource of that name, which `function` gives settings. The first function to do so is heard; another one that says
    /// something else is contradicted by the one that is returned.
    fn declared(&mut self, name: &str, inline: T::Settings, function: &'static str) -> (&'static T, Option<&'static str>) {
        let settings = self.settings(name, Some(inline));
        let entry = self.entry(name, Some((inline, function)));
        let (first, by) = *entry.inline.get_or_insert_with(|| {
            entry.resource.change(settings);
            (inline, function)
        });
        (entry.resource, (first != inline).then_some(by))
    }

    fn configure(&mut self, configured: HashMap<String, T::Settings>) {
        self.configured = configured;
        for (name, entry) in &self.named {
            entry.resource.change(self.settings(name, entry.inline.map(|(settings, _)| settings)));
        }
    }
}

impl Shared for Breaker {
    type Settings = CircuitBreaker;
    const WHAT: &'static str = "breaker";
    const DEFAULT: CircuitBreaker = CircuitBreaker::new();

    fn create(name: &'static str, settings: CircuitBreaker) -> Self {
        Self::new(name, settings)
    }

    fn change(&self, settings: CircuitBreaker) {
        self.change_settings(settings);
    }

    fn merge(first: CircuitBreaker, second: CircuitBreaker) -> CircuitBreaker {
        first.or(second)
    }
}

impl Shared for Bucket {
    type Settings = Rate;
    const WHAT: &'static str = "bucket";
    const DEFAULT: Rate = Rate::per_second(10);

    fn create(name: &'static str, rate: Rate) -> Self {
        Self::new(Some(name), rate)
    }

    fn change(&self, rate: Rate) {
        self.change_rate(rate, now());
    }

    fn merge(first: Rate, second: Rate) -> Rate {
        match (first.own_burst(), second.own_burst()) {
            (None, Some(burst)) if first.burst(burst).problem().is_none() => first.burst(burst),
            _ => first,
        }
    }
}

impl Shared for Bulkhead {
    type Settings = Concurrency;
    const WHAT: &'static str = "bulkhead";
    const DEFAULT: Concurrency = Concurrency::limit(16);

    fn create(name: &'static str, limit: Concurrency) -> Self {
        Self::new(Some(name), limit)
    }

    fn change(&self, limit: Concurrency) {
        self.change_limit(limit);
    }

    fn merge(first: Concurrency, _second: Concurrency) -> Concurrency {
        first
    }
}

impl Shared for Budget {
    type Settings = RetryBudget;
    const WHAT: &'static str = "budget";
    const DEFAULT: RetryBudget = RetryBudget::new();

    fn create(_name: &'static str, settings: RetryBudget) -> Self {
        Self::new(settings)
    }

    fn change(&self, settings: RetryBudget) {
        Self::change(self, settings);
    }

    fn merge(first: RetryBudget, _second: RetryBudget) -> RetryBudget {
        first
    }
}

#[derive(Default)]
struct Registry {
    breakers: Shelf<Both<Breaker>>,
    buckets: Shelf<Both<Bucket>>,
    bulkheads: Shelf<Both<Bulkhead>>,
    budgets: Shelf<Budget>,
    /// The pools that come with a breaker's name; no configuration knows them.
    breaker_budgets: Shelf<Budget>,
}

static REGISTRY: LazyLock<Mutex<Registry>> = LazyLock::new(Mutex::default);
static ASSEMBLING: Mutex<()> = Mutex::new(());

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

/// Held while a function's plan is made for the first time.
pub(crate) fn assembling() -> MutexGuard<'static, ()> {
    lock(&ASSEMBLING)
}

/// Two functions say different things of one name; the first stays. Told when no lock is held.
pub(crate) struct Contradiction {
    what: &'static str,
    name: String,
    first: &'static str,
    second: &'static str,
}

impl Contradiction {
    pub(crate) fn tell(self) {
        events::conflicting_settings(self.what, &self.name, self.first, self.second);
    }
}

/// A function that looks up what it names.
pub(crate) struct Finder {
    pub(crate) function: &'static str,
    pub(crate) contradictions: Vec<Contradiction>,
}

impl Finder {
    /// The resource of that name, on the shelf that `pick` picks.
    fn find<T: Shared>(
        &mut self,
        pick: impl FnOnce(&mut Registry) -> &mut Shelf<T>,
        name: &str,
        inline: Option<T::Settings>,
    ) -> &'static T {
        let mut registry = registry();
        let resources = pick(&mut registry);
        let Some(inline) = inline else { return resources.resource(name) };
        let (resource, contradicting) = resources.declared(name, inline, self.function);
        self.contradictions.extend(contradicting.map(|first| Contradiction {
            what: T::WHAT,
            name: name.to_owned(),
            first,
            second: self.function,
        }));
        resource
    }

    pub(crate) fn breaker(&mut self, name: &str, settings: CircuitBreaker) -> &'static Breaker {
        &self.breakers(name, settings).one
    }

    pub(crate) fn keyed_breaker(&mut self, name: &str, settings: CircuitBreaker) -> &'static Family<Breaker> {
        self.breakers(name, settings).keyed()
    }

    fn breakers(&mut self, name: &str, settings: CircuitBreaker) -> &'static Both<Breaker> {
        self.find(|registry| &mut registry.breakers, name, (settings != CircuitBreaker::new()).then_some(settings))
    }

    pub(crate) fn bucket(&mut self, name: &str, rate: Option<Rate>) -> &'static Bucket {
        &self.find(|registry| &mut registry.buckets, name, rate).one
    }

    pub(crate) fn keyed_bucket(&mut self, name: &str, rate: Option<Rate>) -> &'static Family<Bucket> {
        self.find(|registry| &mut registry.buckets, name, rate).keyed()
    }

    pub(crate) fn bulkhead(&mut self, name: &str, limit: Option<Concurrency>) -> &'static Bulkhead {
        &self.find(|registry| &mut registry.bulkheads, name, limit).one
    }

    pub(crate) fn keyed_bulkhead(&mut self, name: &str, limit: Option<Concurrency>) -> &'static Family<Bulkhead> {
        self.find(|registry| &mut registry.bulkheads, name, limit).keyed()
    }

    /// What this function says of `max_keys`, if anything.
    pub(crate) fn max_keys<T: Kept>(&mut self, family: Option<&'static Family<T>>, keys: Keys) {
        if let (Some(family), Keys::AtMost(max_keys)) = (family, keys)
            && let Some(first) = family.declare_max_keys(max_keys, self.function)
        {
            let name = family.name().unwrap_or_default().to_owned();
            self.contradictions.push(Contradiction { what: T::WHAT, name, first, second: self.function });
        }
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
#[derive(Debug, Default)]
pub(crate) struct Configured {
    pub(crate) breakers: HashMap<String, CircuitBreaker>,
    pub(crate) buckets: HashMap<String, Rate>,
    pub(crate) bulkheads: HashMap<String, Concurrency>,
    pub(crate) budgets: HashMap<String, RetryBudget>,
}

/// Takes the place of what was configured before.
pub(crate) fn configure(configured: Configured) {
    let mut registry = registry();
    registry.breakers.configure(configured.breakers);
    registry.buckets.configure(configured.buckets);
    registry.bulkheads.configure(configured.bulkheads);
    registry.budgets.configure(configured.budgets);
}
