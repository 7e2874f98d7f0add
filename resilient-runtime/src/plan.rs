//! What one function does around its body: settings that are its own, and handles on what it shares.

use crate::backoff::{Backoff, Jitter, Schedule};
use crate::breaker::Breaker;
use crate::bucket::Bucket;
use crate::budget::{Budget, RetryBudget};
use crate::bulkhead::{Bulkhead, Concurrency};
use crate::circuit_breaker::CircuitBreaker;
use crate::clock::{Instant, nanos};
use crate::events::Record;
use crate::keyed::{Families, Family, KeyedBucket, Keys};
use crate::rate::Rate;
use crate::registry::{self, Contradiction, Finder};
use std::time::Duration;

/// What was said of a function, in the attribute or with a builder.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Declared {
    pub(crate) name: &'static str,
    pub(crate) settings: Settings,
    pub(crate) budget: BudgetChoice,
    pub(crate) breaker: Option<(&'static str, CircuitBreaker)>,
    pub(crate) rate: Option<Rate>,
    pub(crate) burst: Option<u32>,
    pub(crate) bucket: Option<&'static str>,
    pub(crate) concurrency: Option<Concurrency>,
    pub(crate) bulkhead: Option<&'static str>,
    pub(crate) breaker_keys: Keys,
    pub(crate) bucket_keys: Keys,
    pub(crate) bulkhead_keys: Keys,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum BudgetChoice {
    Default,
    Ratio(f64),
    Named(&'static str),
    None,
}

/// The settings of each call; times in nanoseconds, `u64::MAX` for none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) retries: u32,
    pub(crate) schedule: Schedule,
    pub(crate) max_retry_after: u64,
    pub(crate) timeout: u64,
    pub(crate) deadline: u64,
    pub(crate) max_wait: u64,
}

impl Settings {
    pub(crate) const DEFAULT: Self = Self {
        retries: 0,
        schedule: Schedule::DEFAULT,
        max_retry_after: nanos(Duration::from_secs(60)),
        timeout: u64::MAX,
        deadline: u64::MAX,
        max_wait: nanos(Duration::from_secs(5)),
    };
}

impl Declared {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self {
            name,
            settings: Settings::DEFAULT,
            budget: BudgetChoice::Default,
            breaker: None,
            rate: None,
            burst: None,
            bucket: None,
            concurrency: None,
            bulkhead: None,
            breaker_keys: Keys::None,
            bucket_keys: Keys::None,
            bulkhead_keys: Keys::None,
        }
    }

    pub(crate) const fn full_rate(&self) -> Option<Rate> {
        match (self.rate, self.burst) {
            (Some(rate), Some(burst)) => Some(rate.burst(burst)),
            (rate, _) => rate,
        }
    }
}

/// A resource of everybody's, or of this function alone.
#[derive(Debug)]
enum Handle<T: 'static> {
    Shared(&'static T),
    Own(T),
}

impl<T> Handle<T> {
    fn get(&self) -> &T {
        match self {
            Self::Shared(shared) => shared,
            Self::Own(own) => own,
        }
    }
}

/// A declaration with everything found that it names.
#[derive(Debug)]
pub(crate) struct Assembly {
    name: &'static str,
    settings: Settings,
    breaker: Option<&'static Breaker>,
    bucket: Option<Handle<Bucket>>,
    bulkhead: Option<Handle<Bulkhead>>,
    budget: Handle<Budget>,
    keyed: Families,
}

impl Assembly {
    /// With it, what contradicts what other functions said.
    pub(crate) fn of(declared: &Declared) -> (Self, Vec<Contradiction>) {
        let mut finder = Finder { function: declared.name, contradictions: Vec::new() };
        let assembly = Self {
            name: declared.name,
            settings: declared.settings,
            breaker: breaker(declared, &mut finder),
            bucket: bucket(declared, &mut finder),
            bulkhead: bulkhead(declared, &mut finder),
            budget: budget(declared),
            keyed: families(declared, &mut finder),
        };
        (assembly, finder.contradictions)
    }

    pub(crate) fn plan<'a>(&'a self, record: &'a Record) -> Plan<'a> {
        Plan {
            function: self.name,
            settings: self.settings,
            breaker: self.breaker,
            bucket: self.bucket.as_ref().map(Handle::get),
            bulkhead: self.bulkhead.as_ref().map(Handle::get),
            budget: self.budget.get(),
            record,
            keyed: self.keyed,
            keyed_bucket: None,
        }
    }
}

fn breaker(declared: &Declared, finder: &mut Finder) -> Option<&'static Breaker> {
    let (name, settings) = declared.breaker.filter(|_| declared.breaker_keys == Keys::None)?;
    Some(finder.breaker(name, settings))
}

fn bucket(declared: &Declared, finder: &mut Finder) -> Option<Handle<Bucket>> {
    if declared.bucket_keys != Keys::None {
        return None;
    }
    let rate = declared.full_rate();
    match declared.bucket {
        Some(name) => Some(Handle::Shared(finder.bucket(name, rate))),
        None => rate.map(|rate| Handle::Own(Bucket::new(None, rate))),
    }
}

fn bulkhead(declared: &Declared, finder: &mut Finder) -> Option<Handle<Bulkhead>> {
    if declared.bulkhead_keys != Keys::None {
        return None;
    }
    match declared.bulkhead {
        Some(name) => Some(Handle::Shared(finder.bulkhead(name, declared.concurrency))),
        None => declared.concurrency.map(|limit| Handle::Own(Bulkhead::new(None, limit))),
    }
}

/// What is kept for each key, of the kinds that are keyed.
fn families(declared: &Declared, finder: &mut Finder) -> Families {
    let Declared { breaker, bucket, bulkhead, concurrency, .. } = *declared;
    let (breaker_keys, bucket_keys, bulkhead_keys) = (declared.breaker_keys, declared.bucket_keys, declared.bulkhead_keys);
    let (rate, is_keyed) = (declared.full_rate(), |keys: Keys| keys != Keys::None);
    let families = Families {
        breaker: breaker.filter(|_| is_keyed(breaker_keys)).map(|(name, settings)| finder.keyed_breaker(name, settings)),
        bucket: is_keyed(bucket_keys)
            .then(|| match bucket {
                Some(name) => Some(finder.keyed_bucket(name, rate)),
                None => rate.map(|rate| Family::new(None, rate)),
            })
            .flatten(),
        bulkhead: is_keyed(bulkhead_keys)
            .then(|| match bulkhead {
                Some(name) => Some(finder.keyed_bulkhead(name, concurrency)),
                None => concurrency.map(|limit| Family::new(None, limit)),
            })
            .flatten(),
    };
    finder.max_keys(families.breaker, breaker_keys);
    finder.max_keys(families.bucket, bucket_keys);
    finder.max_keys(families.bulkhead, bulkhead_keys);
    families
}

fn budget(declared: &Declared) -> Handle<Budget> {
    match (declared.budget, declared.breaker) {
        (BudgetChoice::None, _) => Handle::Own(Budget::unlimited()),
        (BudgetChoice::Named(name), _) => Handle::Shared(registry::budget(name)),
        (BudgetChoice::Ratio(ratio), _) => Handle::Own(Budget::new(RetryBudget::new().ratio(ratio))),
        (BudgetChoice::Default, Some((breaker, _))) => Handle::Shared(registry::budget_of_breaker(breaker)),
        (BudgetChoice::Default, None) => Handle::Own(Budget::new(RetryBudget::new())),
    }
}

/// What a call needs to know, in one place that it borrows for its time.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Plan<'r> {
    pub(crate) function: &'static str,
    pub(crate) settings: Settings,
    pub(crate) breaker: Option<&'r Breaker>,
    pub(crate) bucket: Option<&'r Bucket>,
    pub(crate) bulkhead: Option<&'r Bulkhead>,
    pub(crate) budget: &'r Budget,
    pub(crate) record: &'r Record,
    pub(crate) keyed: Families,
    /// The key's own bucket; `bucket` is a front for it, which has no token.
    pub(crate) keyed_bucket: Option<&'r KeyedBucket>,
}

impl<'r> Plan<'r> {
    /// The bucket that can wait and pause.
    #[cold]
    pub(crate) fn bucket(&self) -> Option<&'r Bucket> {
        self.keyed_bucket.map(KeyedBucket::full).or(self.bucket)
    }

    /// Whether the key had a token for now, which is taken.
    #[cold]
    pub(crate) fn takes_by_key(&self, now: Instant) -> bool {
        self.keyed_bucket.is_some_and(|bucket| bucket.take_and_spend(now))
    }
}

impl Plan<'_> {
    pub(crate) fn breaker_name(&self) -> Option<&'static str> {
        self.breaker.map(Breaker::name)
    }
}

macro_rules! settings_from_expressions {
    ($($name:ident($value:ident: $type:ty) $settings:ident => $change:expr;)*) => {
        /// Settings that the attribute gives as expressions, evaluated in the function.
        impl Plan<'_> {
            $(
                #[must_use]
                pub fn $name(mut self, $value: $type) -> Self {
                    let $settings = &mut self.settings;
                    $change;
                    self
                }
            )*
        }
    };
}

settings_from_expressions! {
    with_retries(retries: u32) settings => settings.retries = retries;
    with_base_delay(delay: Duration) settings => settings.schedule.base = nanos(delay);
    with_max_delay(delay: Duration) settings => settings.schedule.max = nanos(delay);
    with_backoff(backoff: Backoff) settings => settings.schedule.backoff = backoff;
    with_jitter(jitter: impl Into<Jitter>) settings => settings.schedule.jitter = jitter.into();
    with_max_retry_after(wait: Duration) settings => settings.max_retry_after = nanos(wait);
    with_timeout(timeout: Duration) settings => settings.timeout = nanos(timeout);
    with_deadline(deadline: Duration) settings => settings.deadline = nanos(deadline);
    with_max_wait(wait: Duration) settings => settings.max_wait = nanos(wait);
}
