//! One annotated function: what its attribute says, and what was made of it at the first call.

use crate::backoff::{Backoff, Jitter};
use crate::bulkhead::Concurrency;
use crate::circuit_breaker::CircuitBreaker;
use crate::clock::nanos;
use crate::events::Record;
use crate::keyed::{Keys, max_keys_problem};
use crate::plan::{Assembly, BudgetChoice, Declared, Plan};
use crate::rate::Rate;
use crate::registry::{self, Contradiction};
use once_cell::race::OnceRef;
use std::time::Duration;

/// Its const methods are the attribute's keys; nonsense in a constant stops the build.
#[doc(hidden)]
#[derive(Debug)]
pub struct Site {
    declared: Declared,
    plan: OnceRef<'static, Plan<'static>>,
    record: Record,
}

impl Site {
    /// # Panics
    ///
    /// Without a name.
    #[must_use]
    pub const fn new(name: &'static str, _file: &'static str, _line: u32) -> Self {
        assert!(!name.is_empty(), "a function's name may not be empty");
        Self { declared: Declared::new(name), plan: OnceRef::new(), record: Record::new() }
    }

    #[inline]
    pub fn plan(&'static self) -> &'static Plan<'static> {
        match self.plan.get() {
            Some(plan) => plan,
            None => self.resolve(),
        }
    }

    #[cold]
    fn resolve(&'static self) -> &'static Plan<'static> {
        let (plan, contradictions) = self.assemble();
        contradictions.into_iter().for_each(Contradiction::tell);
        plan
    }

    /// Callers who meet here at the first call must not each make a private bucket.
    fn assemble(&'static self) -> (&'static Plan<'static>, Vec<Contradiction>) {
        let _one_at_a_time = registry::assembling();
        if let Some(plan) = self.plan.get() {
            return (plan, Vec::new());
        }
        let (assembly, contradictions) = Assembly::of(&self.declared);
        let assembly: &'static Assembly = Box::leak(Box::new(assembly));
        let plan: &'static Plan<'static> = Box::leak(Box::new(assembly.plan(&self.record)));
        let _ = self.plan.set(plan);
        (plan, contradictions)
    }
}

macro_rules! keys {
    ($($name:ident($($value:ident: $type:ty),*) $site:ident => $change:block)*) => {
        impl Site {
            $(
                /// # Panics
                ///
                /// On nonsense, in a static and so while it is built.
                #[must_use]
                pub const fn $name(mut self $(, $value: $type)*) -> Self {
                    let $site = &mut self.declared;
                    $change
                    self
                }
            )*
        }
    };
}

keys! {
    retries(retries: u32) site => { site.settings.retries = retries; }
    base_delay(delay: Duration) site => { site.settings.schedule.base = nanos(delay); }
    max_delay(delay: Duration) site => { site.settings.schedule.max = nanos(delay); }
    backoff(backoff: Backoff) site => { site.settings.schedule.backoff = backoff; }
    jitter(jitter: Jitter) site => {
        assert!(jitter.is_valid(), "a jitter ratio must be from 0 to 1");
        site.settings.schedule.jitter = jitter;
    }
    max_retry_after(wait: Duration) site => { site.settings.max_retry_after = nanos(wait); }
    timeout(timeout: Duration) site => { site.settings.timeout = nanos(timeout); }
    deadline(deadline: Duration) site => { site.settings.deadline = nanos(deadline); }
    max_wait(wait: Duration) site => { site.settings.max_wait = nanos(wait); }
    max_wait_unlimited() site => { site.settings.max_wait = u64::MAX; }
    budget_ratio(ratio: f64) site => {
        assert!(ratio > 0.0 && ratio <= 10.0, "a retry budget must be above 0 and at most 10");
        site.budget = BudgetChoice::Ratio(ratio);
    }
    budget_named(name: &'static str) site => {
        assert!(!name.is_empty(), "a budget's name may not be empty");
        site.budget = BudgetChoice::Named(name);
    }
    no_budget() site => { site.budget = BudgetChoice::None; }
    breaker(name: &'static str, settings: CircuitBreaker) site => {
        assert!(!name.is_empty(), "a breaker's name may not be empty");
        if let Some(problem) = settings.problem() {
            panic!("{}", problem);
        }
        site.breaker = Some((name, settings));
    }
    rate(rate: Rate) site => {
        site.rate = Some(rate);
        check_rate(site);
    }
    burst(burst: u32) site => {
        site.burst = Some(burst);
        check_rate(site);
    }
    bucket(name: &'static str) site => {
        assert!(!name.is_empty(), "a bucket's name may not be empty");
        site.bucket = Some(name);
    }
    concurrency(calls: u32) site => {
        let limit = Concurrency::limit(calls);
        if let Some(problem) = limit.problem() {
            panic!("{}", problem);
        }
        site.concurrency = Some(limit);
    }
    bulkhead(name: &'static str) site => {
        assert!(!name.is_empty(), "a bulkhead's name may not be empty");
        site.bulkhead = Some(name);
    }
    breaker_keys(max_keys: Option<u32>) site => { site.breaker_keys = keys(max_keys); }
    bucket_keys(max_keys: Option<u32>) site => { site.bucket_keys = keys(max_keys); }
    bulkhead_keys(max_keys: Option<u32>) site => { site.bulkhead_keys = keys(max_keys); }
}

const fn keys(max_keys: Option<u32>) -> Keys {
    if let Some(problem) = max_keys_problem(max_keys) {
        panic!("{}", problem);
    }
    match max_keys {
        Some(max_keys) => Keys::AtMost(max_keys),
        None => Keys::Default,
    }
}

const fn check_rate(declared: &Declared) {
    if let Some(rate) = declared.full_rate()
        && let Some(problem) = rate.problem()
    {
        panic!("{}", problem);
    }
}
