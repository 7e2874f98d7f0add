//! What one function does around its body: settings that are its own, and handles on what it shares.

use crate::backoff::{Backoff, Jitter, Schedule};
use crate::breaker::{Breaker, Circuit};
use crate::bucket::Bucket;
use crate::budget::{Budget, Lease, RetryBudget, UNLIMITED};
use crate::bulkhead::Bulkhead;
use crate::circuit_breaker::CircuitBreaker;
use crate::clock::{Instant, nanos, now};
use crate::configure::layer::Kind;
use crate::configure::words::Words;
use crate::events::Record;
use crate::keyed::{Families, Family, Kept, KeyedBucket, Keys};
use crate::overrides::{Overrides, needed};
use crate::pools::Pools;
use crate::registry::{self, BucketSettings, BulkheadSettings, Finder};
use crate::sync::{OnceBox, OnceRef};
use std::time::Duration;

/// What was said of a function, in the attribute or with a builder.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct Declared {
    pub(crate) name: &'static str,
    pub(crate) own: Overrides,
    pub(crate) breaker: Option<(&'static str, CircuitBreaker)>,
    pub(crate) bucket: Option<&'static str>,
    pub(crate) bulkhead: Option<&'static str>,
    pub(crate) breaker_keys: Keys,
    pub(crate) bucket_keys: Keys,
    pub(crate) bulkhead_keys: Keys,
    /// What the attribute gives as expressions: key and source text.
    pub(crate) expressions: &'static [(&'static str, &'static str)],
    pub(crate) is_scriptable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum BudgetChoice {
    Ratio(f64),
    Named(&'static str),
    None,
}

/// The settings of each call; times in nanoseconds, `u64::MAX` for none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Settings {
    pub(crate) retries: u32,
    pub(crate) schedule: Schedule,
    pub(crate) max_retry_after: u64,
    pub(crate) timeout: u64,
    pub(crate) deadline: u64,
    pub(crate) max_wait: u64,
    /// What an expression in the attribute does not change, because configuration knows better.
    pub(crate) fixed: Fixed,
}

impl Settings {
    pub(crate) const DEFAULT: Self = Self {
        retries: 0,
        schedule: Schedule::DEFAULT,
        max_retry_after: nanos(Duration::from_secs(60)),
        timeout: u64::MAX,
        deadline: u64::MAX,
        max_wait: nanos(Duration::from_secs(5)),
        fixed: Fixed::NOTHING,
    };
}

/// A set of the keys that an attribute may give as expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fixed(u16);

impl Fixed {
    pub(crate) const NOTHING: Self = Self(0);
    const KEYS: [&'static str; 9] =
        ["retries", "base_delay", "max_delay", "backoff", "jitter", "max_retry_after", "timeout", "deadline", "max_wait"];

    fn bit(key: &str) -> u16 {
        Self::KEYS.iter().position(|known| *known == key).map_or(0, |position| 1 << position)
    }

    /// What a function's table decides.
    pub(crate) fn by(table: &Overrides) -> Self {
        let mut fixed = Self::NOTHING;
        for key in Self::KEYS {
            let is_off = table.show(&format!("{key}.enabled")).is_some_and(|enabled| enabled == "false");
            if table.enabled == Some(false) || is_off || table.show(key).is_some() {
                fixed.0 |= Self::bit(key);
            }
        }
        fixed
    }

    fn has(self, key: &str) -> bool {
        self.0 & Self::bit(key) != 0
    }
}

impl Declared {
    pub const NOTHING: Self = Self {
        name: "",
        own: Overrides::new(),
        breaker: None,
        bucket: None,
        bulkhead: None,
        breaker_keys: Keys::None,
        bucket_keys: Keys::None,
        bulkhead_keys: Keys::None,
        expressions: &[],
        is_scriptable: false,
    };

    /// What the attribute says of the breaker that it names.
    pub(crate) fn inline_breaker(&self) -> Option<(&'static str, CircuitBreaker)> {
        self.breaker.map(|(name, settings)| (name, settings.with_max_keys(self.breaker_keys.at_most())))
    }

    /// What those settings and the attribute's `max_keys` say of its bucket.
    pub(crate) fn bucket_settings(&self, settings: &Overrides) -> BucketSettings {
        let max_keys = self.bucket_keys.at_most().or(self.own.rate.and_then(|rate| rate.own_max_keys()));
        BucketSettings::of(settings.rate, settings.burst).with_max_keys(max_keys)
    }

    /// What those settings and the attribute's `max_keys` say of its bulkhead.
    pub(crate) fn bulkhead_settings(&self, settings: &Overrides) -> BulkheadSettings {
        BulkheadSettings::of(settings.limit()).with_max_keys(self.bulkhead_keys.at_most())
    }

    /// Whether it has one for each key of what is of that kind, and how many at most.
    pub(crate) fn keys(&self, kind: Kind) -> Keys {
        match kind {
            Kind::Breakers => self.breaker_keys,
            Kind::Buckets => self.bucket_keys,
            Kind::Bulkheads => self.bulkhead_keys,
            Kind::Budgets | Kind::Functions | Kind::Defaults | Kind::Switches => Keys::None,
        }
    }

    /// The thing of that kind that it names; functions name themselves.
    pub(crate) fn named(&self, kind: Kind) -> Option<&'static str> {
        match kind {
            Kind::Breakers => self.breaker.map(|(name, _)| name),
            Kind::Buckets => self.bucket,
            Kind::Bulkheads => self.bulkhead,
            Kind::Budgets => self.own.named_budget(),
            Kind::Functions => Some(self.name),
            Kind::Defaults | Kind::Switches => None,
        }
    }

    /// Whether the attribute has that key, whatever its value.
    pub(crate) fn has(&self, key: &str) -> bool {
        match key {
            "breaker" => self.breaker.is_some(),
            "bucket" => self.bucket.is_some(),
            "bulkhead" => self.bulkhead.is_some(),
            _ => self.own.show(key).is_some() || self.expression(key).is_some(),
        }
    }

    /// What holds for that key where nobody says it, if it says anything for this function.
    pub(crate) fn built_in(&self, key: &str, effective: &Overrides) -> Option<String> {
        let is_heard = match key {
            "jitter" if effective.backoff == Some(Backoff::Decorrelated) => false,
            key => self.has_any(needed(key)),
        };
        let burst = || effective.rate.map(|rate| rate.resolved_burst().to_string());
        let value = if key == "burst" { burst() } else { Overrides::BUILT_IN.show(key) };
        value.filter(|_| is_heard)
    }

    pub(crate) fn has_any(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.has(key))
    }

    pub(crate) fn expression(&self, key: &str) -> Option<&'static str> {
        self.expressions.iter().find(|(given, _)| *given == key).map(|(_, text)| *text)
    }

    /// What those settings come to for this function, over the attribute, over those defaults.
    pub(crate) fn effective(&self, overrides: Overrides, mut defaults: Overrides) -> Overrides {
        for (key, _) in self.expressions {
            defaults.unset(key);
        }
        if self.own.backoff == Some(Backoff::Decorrelated) || overrides.backoff == Some(Backoff::Decorrelated) {
            defaults.jitter = None;
        }
        overrides.or(self.own).or(defaults)
    }
}

/// What belongs to one function alone, for as long as it lives.
#[derive(Debug, Default)]
pub(crate) struct Own {
    bucket: OnceBox<Bucket>,
    bulkhead: OnceBox<Bulkhead>,
    bucket_of_keys: OnceRef<'static, Family<Bucket>>,
    bulkhead_of_keys: OnceRef<'static, Family<Bulkhead>>,
    budget: OnceBox<Lease>,
}

impl Own {
    pub(crate) const fn new() -> Self {
        Self {
            bucket: OnceBox::new(),
            bulkhead: OnceBox::new(),
            bucket_of_keys: OnceRef::new(),
            bulkhead_of_keys: OnceRef::new(),
            budget: OnceBox::new(),
        }
    }

    /// After a change, when no lock is held.
    pub(crate) fn wake(&self) {
        if let Some(bucket) = self.bucket.get() {
            bucket.wake();
        }
        if let Some(bulkhead) = self.bulkhead.get() {
            bulkhead.wake();
        }
        if let Some(family) = self.bucket_of_keys.get() {
            Kept::wake(family);
        }
        if let Some(family) = self.bulkhead_of_keys.get() {
            Kept::wake(family);
        }
    }
}

/// Whose resource a function uses.
#[derive(Debug)]
enum Choice<T: 'static> {
    None,
    Shared(&'static T),
    Own,
}

impl<T> Choice<T> {
    fn shared(shared: &'static T, is_on: bool) -> Self {
        if is_on { Self::Shared(shared) } else { Self::None }
    }

    fn own(is_on: bool) -> Self {
        if is_on { Self::Own } else { Self::None }
    }

    fn get<'a>(&self, own: &'a OnceBox<T>) -> Option<&'a T> {
        match self {
            Self::None => None,
            Self::Shared(shared) => Some(shared),
            Self::Own => own.get(),
        }
    }
}

/// A declaration with everything found that it names.
#[derive(Debug)]
pub(crate) struct Assembly {
    name: &'static str,
    settings: Settings,
    breaker: Option<&'static Breaker>,
    bucket: Choice<Bucket>,
    bulkhead: Choice<Bulkhead>,
    budget: &'static Budget,
    keyed: Families,
    is_scriptable: bool,
    /// Some of the settings are worked out for each call.
    is_tuned: bool,
}

impl Assembly {
    /// What the function's effective settings come to; what is its own is made, or changed with its state kept.
    pub(crate) fn of(declared: &Declared, effective: &Overrides, own: &Own, finder: &mut Finder) -> Self {
        Self {
            name: declared.name,
            settings: effective.resolved(),
            breaker: breaker(declared, effective, finder),
            bucket: bucket(declared, effective, own, finder),
            bulkhead: bulkhead(declared, effective, own, finder),
            budget: budget(declared, effective, own, finder),
            keyed: families(declared, effective, own, finder),
            is_scriptable: declared.is_scriptable,
            is_tuned: declared.expressions.iter().any(|(key, _)| Fixed::KEYS.contains(key)),
        }
    }

    pub(crate) fn fix(&mut self, fixed: Fixed) {
        self.settings.fixed = fixed;
    }

    /// A call's view of it, at this moment: what configuration has switched off is not there.
    pub(crate) fn plan<'a>(&self, own: &'a Own, record: &'a Record) -> Plan<'a> {
        Plan {
            gate: Circuit::SHUT,
            circuit: Circuit::CLOSED,
            function: self.name,
            settings: self.settings,
            breaker: self.breaker.filter(|breaker| breaker.is_enabled()),
            bucket: self.bucket.get(&own.bucket).filter(|bucket| bucket.is_enabled()),
            bulkhead: self.bulkhead.get(&own.bulkhead).filter(|bulkhead| bulkhead.is_enabled()),
            budget: self.budget,
            pools: None,
            record,
            keyed: self.keyed.enabled(),
            keyed_bucket: None,
            starts_with_token: false,
            is_scriptable: self.is_scriptable,
        }
        .concluded()
        .with_token_first(self.is_tuned)
    }
}

fn breaker(declared: &Declared, effective: &Overrides, finder: &mut Finder) -> Option<&'static Breaker> {
    let (name, inline) = declared.inline_breaker().filter(|_| !declared.breaker_keys.are_there())?;
    Some(&finder.breaker(name, inline).one).filter(|_| effective.is_on(effective.breaker_enabled))
}

fn bucket(declared: &Declared, effective: &Overrides, own: &Own, finder: &mut Finder) -> Choice<Bucket> {
    if declared.bucket_keys.are_there() {
        return Choice::None;
    }
    if let Some(name) = declared.bucket {
        let inline = declared.bucket_settings(&declared.own);
        return Choice::shared(&finder.bucket(name, inline).one, effective.is_on(effective.bucket_enabled));
    }
    let Some(rate) = effective.full_rate() else { return Choice::None };
    own.bucket.get_or_init(|| Box::new(Bucket::new(None, rate))).change_rate(rate, now());
    Choice::own(effective.is_on(effective.rate_enabled))
}

fn bulkhead(declared: &Declared, effective: &Overrides, own: &Own, finder: &mut Finder) -> Choice<Bulkhead> {
    if declared.bulkhead_keys.are_there() {
        return Choice::None;
    }
    if let Some(name) = declared.bulkhead {
        let inline = declared.bulkhead_settings(&declared.own);
        return Choice::shared(&finder.bulkhead(name, inline).one, effective.is_on(effective.bulkhead_enabled));
    }
    let Some(limit) = effective.limit() else { return Choice::None };
    own.bulkhead.get_or_init(|| Box::new(Bulkhead::new(None, limit))).change_limit(limit);
    Choice::own(effective.is_on(effective.concurrency_enabled))
}

/// What is kept for each key, of the kinds that are keyed; what is the function's own stays, with everything that its keys owe.
fn families(declared: &Declared, effective: &Overrides, own: &Own, finder: &mut Finder) -> Families {
    let breaker = declared.inline_breaker().filter(|_| declared.breaker_keys.are_there());
    let bucket = declared.bucket_keys.are_there().then(|| keyed_bucket(declared, effective, own, finder));
    let bulkhead = declared.bulkhead_keys.are_there().then(|| keyed_bulkhead(declared, effective, own, finder));
    Families {
        breaker: breaker
            .map(|(name, inline)| finder.breaker(name, inline).keyed())
            .filter(|_| effective.is_on(effective.breaker_enabled)),
        bucket: bucket.flatten(),
        bulkhead: bulkhead.flatten(),
    }
}

fn keyed_bucket(declared: &Declared, effective: &Overrides, own: &Own, finder: &mut Finder) -> Option<&'static Family<Bucket>> {
    if let Some(name) = declared.bucket {
        let family = finder.bucket(name, declared.bucket_settings(&declared.own)).keyed();
        return Some(family).filter(|_| effective.is_on(effective.bucket_enabled));
    }
    effective.rate?;
    let settings = declared.bucket_settings(effective);
    let family = own.bucket_of_keys.get_or_init(|| Family::new(None, settings));
    family.change(settings);
    Some(family).filter(|_| effective.is_on(effective.rate_enabled))
}

fn keyed_bulkhead(declared: &Declared, effective: &Overrides, own: &Own, finder: &mut Finder) -> Option<&'static Family<Bulkhead>> {
    if let Some(name) = declared.bulkhead {
        let family = finder.bulkhead(name, declared.bulkhead_settings(&declared.own)).keyed();
        return Some(family).filter(|_| effective.is_on(effective.bulkhead_enabled));
    }
    effective.concurrency?;
    let settings = declared.bulkhead_settings(effective);
    let family = own.bulkhead_of_keys.get_or_init(|| Family::new(None, settings));
    family.change(settings);
    Some(family).filter(|_| effective.is_on(effective.concurrency_enabled))
}

fn budget(declared: &Declared, effective: &Overrides, own: &Own, finder: &Finder) -> &'static Budget {
    if !effective.is_on(effective.budget_enabled) {
        return &UNLIMITED;
    }
    let ratio = match (effective.budget, declared.breaker) {
        (Some(BudgetChoice::None), _) => return &UNLIMITED,
        (Some(BudgetChoice::Named(name)), _) => return registry::budget(name),
        (None, Some((breaker, _))) => return registry::budget_of_breaker(breaker),
        (Some(BudgetChoice::Ratio(ratio)), _) => RetryBudget::new().ratio(ratio),
        (None, None) => RetryBudget::new(),
    };
    let settings = ratio.or(finder.default_budget);
    let Lease(budget) = own.budget.get_or_init(|| Box::new(Lease::new(settings)));
    budget.change(settings);
    budget
}

/// What a call needs to know, in one place that it borrows for its time.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Plan<'r> {
    /// What a call looks at that needs nothing but a closed circuit and a token: that of `breaker`, one that is always closed, or one
    /// that never is, where it needs more.
    pub(crate) gate: Circuit<'r>,
    /// That of `breaker`, or one that is always closed.
    pub(crate) circuit: Circuit<'r>,
    pub(crate) function: &'static str,
    pub(crate) settings: Settings,
    pub(crate) breaker: Option<&'r Breaker>,
    pub(crate) bucket: Option<&'r Bucket>,
    pub(crate) bulkhead: Option<&'r Bulkhead>,
    pub(crate) budget: &'static Budget,
    /// What a call without a parent hands down, if it may retry.
    pub(crate) pools: Option<&'static Pools>,
    pub(crate) record: &'r Record,
    pub(crate) keyed: Families,
    /// The key's own bucket; `bucket` is a front for it, which has no token.
    pub(crate) keyed_bucket: Option<&'r KeyedBucket>,
    /// A call needs a token of a key's and nothing else, and only one.
    pub(crate) starts_with_token: bool,
    /// The emitted code takes outcomes from a test's script.
    pub(crate) is_scriptable: bool,
}

impl<'r> Plan<'r> {
    /// The bucket that can wait and pause.
    #[cold]
    pub(crate) fn bucket(&self) -> Option<&'r Bucket> {
        self.keyed_bucket.and_then(KeyedBucket::full).or(self.bucket)
    }

    /// Whether the key had a token for now, which is taken.
    #[cold]
    pub(crate) fn takes_by_key(&self, now: Instant) -> bool {
        self.keyed_bucket.is_some_and(|bucket| bucket.take_and_spend(now))
    }
}

impl Plan<'_> {
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        fn is_one<T>(left: Option<&T>, right: Option<&T>) -> bool {
            match (left, right) {
                (Some(left), Some(right)) => std::ptr::eq(left, right),
                (left, right) => left.is_none() && right.is_none(),
            }
        }
        self.settings == other.settings
            && is_one(self.breaker, other.breaker)
            && is_one(self.bucket, other.bucket)
            && is_one(self.bulkhead, other.bulkhead)
            && std::ptr::eq(self.budget, other.budget)
            && is_one(self.pools, other.pools)
            && is_one(self.keyed.breaker, other.keyed.breaker)
            && is_one(self.keyed.bucket, other.keyed.bucket)
            && is_one(self.keyed.bulkhead, other.keyed.bulkhead)
    }

    pub(crate) fn breaker_name(&self) -> Option<&'static str> {
        self.breaker.map(Breaker::name)
    }

    #[must_use]
    pub fn with_retries(mut self, retries: u32) -> Self {
        if !self.settings.fixed.has("retries") {
            // So that the number of attempts fits into as many bits.
            self.settings.retries = retries.min(u32::MAX - 1);
        }
        self.concluded()
    }

    /// Nothing else is asked that could refuse, no attempt follows, and nothing of that is worked out later.
    fn with_token_first(mut self, is_tuned: bool) -> Self {
        let Self { keyed, settings, .. } = &self;
        let has_other = self.breaker.is_some() || self.bulkhead.is_some() || keyed.breaker.is_some() || keyed.bulkhead.is_some();
        self.starts_with_token = keyed.bucket.is_some() && !has_other && !is_tuned && settings.retries == 0;
        self
    }

    /// With what follows from the rest.
    pub(crate) fn concluded(mut self) -> Self {
        self.pools = if self.settings.retries > 0 { self.budget.pools() } else { None };
        self.open_gate();
        self
    }

    /// The short way, where nothing asks for more.
    #[inline]
    pub(crate) fn open_gate(&mut self) {
        let needs_more = self.settings.deadline != u64::MAX
            || self.bulkhead.is_some()
            || self.keyed_bucket.is_some_and(|bucket| !bucket.is_paid());
        self.circuit = self.breaker.map_or(Circuit::CLOSED, Breaker::circuit);
        self.gate = if needs_more { Circuit::SHUT } else { self.circuit };
    }
}

macro_rules! settings_from_expressions {
    ($($name:ident($value:ident: $type:ty) $key:literal $settings:ident => $change:expr;)*) => {
        /// Settings that the attribute gives as expressions, evaluated in the function.
        impl Plan<'_> {
            $(
                #[must_use]
                pub fn $name(mut self, $value: $type) -> Self {
                    let $settings = &mut self.settings;
                    if !$settings.fixed.has($key) {
                        $change;
                    }
                    self.concluded()
                }
            )*
        }
    };
}

settings_from_expressions! {
    with_base_delay(delay: Duration) "base_delay" settings => settings.schedule.base = nanos(delay);
    with_max_delay(delay: Duration) "max_delay" settings => settings.schedule.max = nanos(delay);
    with_backoff(backoff: Backoff) "backoff" settings => settings.schedule.backoff = backoff;
    with_jitter(jitter: impl Into<Jitter>) "jitter" settings => settings.schedule.jitter = jitter.into();
    with_max_retry_after(wait: Duration) "max_retry_after" settings => settings.max_retry_after = nanos(wait);
    with_timeout(timeout: Duration) "timeout" settings => settings.timeout = nanos(timeout);
    with_deadline(deadline: Duration) "deadline" settings => settings.deadline = nanos(deadline);
    with_max_wait(wait: Duration) "max_wait" settings => settings.max_wait = nanos(wait);
}
