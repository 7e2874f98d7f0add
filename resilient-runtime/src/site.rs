//! One annotated function: what its attribute says, and what was made of it at the first call.

use crate::backoff::{Backoff, Jitter};
use crate::bulkhead::Concurrency;
use crate::circuit_breaker::CircuitBreaker;
use crate::configure::installed::{Installed, installed};
use crate::configure::value::MaxWait;
use crate::events::Record;
use crate::keyed::{Keys, max_keys_problem};
use crate::plan::{Assembly, BudgetChoice, Declared, Own, Plan};
use crate::rate::Rate;
use crate::registry::Finder;
use crate::sync::{AtomicCell, OnceBox, seeded};
use std::time::Duration;

/// Small and plain, as compiling it is paid for with each function: what there is to say is said when it is first asked for.
#[doc(hidden)]
#[derive(Debug)]
pub struct Site {
    pub(crate) name: &'static str,
    pub(crate) file: &'static str,
    pub(crate) line: u32,
    declare: fn(Declared) -> Declared,
    plan: AtomicCell<Option<&'static Plan<'static>>>,
    kept: OnceBox<Kept>,
}

/// What a site has for as long as the process lives.
#[derive(Debug)]
struct Kept {
    declared: Declared,
    own: Own,
    record: Record,
}

impl Site {
    /// # Panics
    ///
    /// Without a name.
    #[must_use]
    pub const fn new(name: &'static str, file: &'static str, line: u32, declare: fn(Declared) -> Declared) -> Self {
        assert!(!name.is_empty(), "a function's name may not be empty");
        Self { name, file, line, declare, plan: AtomicCell::new(None), kept: OnceBox::new() }
    }

    fn kept(&self) -> &Kept {
        self.kept.get_or_init(|| {
            let declared = Declared { name: self.name, ..(self.declare)(Declared::NOTHING) };
            Box::new(Kept { declared, own: Own::new(), record: Record::new() })
        })
    }

    /// What its attribute says.
    pub(crate) fn declared(&self) -> &Declared {
        &self.kept().declared
    }

    pub(crate) fn record(&self) -> &Record {
        &self.kept().record
    }

    /// One snapshot for a whole call.
    #[inline]
    pub fn plan(&'static self) -> &'static Plan<'static> {
        match self.plan.load() {
            Some(plan) => plan,
            None => self.resolve(),
        }
    }

    #[cold]
    fn resolve(&'static self) -> &'static Plan<'static> {
        let installed = installed();
        if let Some(plan) = self.plan.load() {
            return plan;
        }
        let (plan, finder) = self.assemble(&installed);
        let installed = (!seeded!("site: unguarded plan")).then_some(installed);
        let plan = self.publish(plan);
        drop(installed);
        finder.tell();
        plan
    }

    #[expect(clippy::disallowed_methods, reason = "whoever publishes holds the configuration's lock, and looked under it")]
    fn publish(&self, plan: Plan<'static>) -> &'static Plan<'static> {
        let plan = Box::leak(Box::new(plan));
        self.plan.store(Some(plan));
        plan
    }

    fn assemble(&'static self, installed: &Installed) -> (Plan<'static>, Finder) {
        let Kept { declared, own, record } = self.kept();
        let effective = installed.effective(declared);
        let mut finder = Finder::new(self.name);
        let mut assembly = Assembly::of(declared, &effective.settings, own, &mut finder);
        assembly.fix(effective.fixed);
        (assembly.plan(own, record), finder)
    }

    pub(crate) fn wake(&self) {
        if let Some(kept) = self.kept.get() {
            kept.own.wake();
        }
    }

    /// A new configuration is in force. Plans that calls still hold stay for ever, so only one that differs is added.
    pub(crate) fn plan_again(&'static self, installed: &Installed) {
        let Some(current) = self.plan.load() else { return };
        let (plan, _) = self.assemble(installed);
        if !plan.is_same(current) {
            self.publish(plan);
        }
    }
}

macro_rules! keys {
    ($($name:ident($($value:ident: $type:ty),*) $site:ident => $change:block)*) => {
        /// Its const methods are the attribute's keys; nonsense in a constant stops the build.
        impl Declared {
            $(
                /// # Panics
                ///
                /// On nonsense, which the macro either has refused or puts into a constant, so that it stops the build.
                #[must_use]
                pub const fn $name(mut self $(, $value: $type)*) -> Self {
                    let $site = &mut self;
                    $change
                    self
                }
            )*
        }
    };
}

keys! {
    expressions(expressions: &'static [(&'static str, &'static str)]) site => { site.expressions = expressions; }
    retries(retries: u32) site => { site.own.retries = Some(retries); }
    base_delay(delay: Duration) site => { site.own.base_delay = Some(delay); }
    max_delay(delay: Duration) site => { site.own.max_delay = Some(delay); }
    backoff(backoff: Backoff) site => { site.own.backoff = Some(backoff); }
    jitter(jitter: Jitter) site => {
        assert!(jitter.is_valid(), "a jitter ratio must be from 0 to 1");
        site.own.jitter = Some(jitter);
    }
    max_retry_after(wait: Duration) site => { site.own.max_retry_after = Some(wait); }
    timeout(timeout: Duration) site => { site.own.timeout = Some(timeout); }
    deadline(deadline: Duration) site => { site.own.deadline = Some(deadline); }
    max_wait(wait: Duration) site => { site.own.max_wait = Some(MaxWait(wait)); }
    max_wait_unlimited() site => { site.own.max_wait = Some(MaxWait(Duration::MAX)); }
    budget_ratio(ratio: f64) site => {
        assert!(ratio > 0.0 && ratio <= 10.0, "a retry budget must be above 0 and at most 10");
        site.own.budget = Some(BudgetChoice::Ratio(ratio));
    }
    budget_named(name: &'static str) site => {
        assert!(!name.is_empty(), "a budget's name may not be empty");
        site.own.budget = Some(BudgetChoice::Named(name));
    }
    no_budget() site => { site.own.budget = Some(BudgetChoice::None); }
    breaker(name: &'static str, settings: CircuitBreaker) site => {
        assert!(!name.is_empty(), "a breaker's name may not be empty");
        if let Some(problem) = settings.problem() {
            panic!("{}", problem);
        }
        site.breaker = Some((name, settings));
    }
    breaker_named(name: &'static str) site => {
        assert!(!name.is_empty(), "a breaker's name may not be empty");
        site.breaker = Some((name, CircuitBreaker::DEFAULT));
    }
    scriptable() site => { site.is_scriptable = true; }
    rate(rate: Rate) site => {
        site.own = site.own.rate(rate);
        check_rate(site);
    }
    burst(burst: u32) site => {
        site.own.burst = Some(burst);
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
        site.own.concurrency = Some(calls);
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
    Keys::of(max_keys)
}

const fn check_rate(declared: &Declared) {
    if let Some(rate) = declared.own.full_rate()
        && let Some(problem) = rate.problem()
    {
        panic!("{}", problem);
    }
}
