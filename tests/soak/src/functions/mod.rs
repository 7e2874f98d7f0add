//! Fifty annotated functions, which together use every key of the attribute, and what must hold for each.

mod asynchronous;
mod blocking;
mod shapes;

use crate::ledger::{Crowd, Quota};
use crate::visit::{Answer, HOSTS, TENANTS, Visit};
use fastrand::Rng;
use std::pin::Pin;

pub(crate) type Answering<'v> = Pin<Box<dyn Future<Output = Answer> + Send + 'v>>;

/// One annotated function.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) run: Run,
    attempts: u32,
    quotas: &'static [Quota],
    crowds: &'static [Crowd],
    breaker: Option<&'static str>,
    has_substitute: bool,
    waits_for_ever: bool,
}

#[derive(Debug)]
pub(crate) enum Run {
    Async(for<'v> fn(&'v Visit) -> Answering<'v>),
    Sync(fn(&Visit) -> Answer),
}

impl Function {
    const fn new(name: &'static str, run: Run) -> Self {
        Self { name, run, attempts: 1, quotas: &[], crowds: &[], breaker: None, has_substitute: false, waits_for_ever: false }
    }

    /// At most so many.
    const fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Its bucket, or those of the tenants.
    const fn quota(mut self, quotas: &'static [Quota]) -> Self {
        self.quotas = quotas;
        self
    }

    /// Its bulkhead, or those of the hosts.
    const fn crowd(mut self, crowds: &'static [Crowd]) -> Self {
        self.crowds = crowds;
        self
    }

    /// The one that it shares and that has no keys.
    const fn breaker(mut self, name: &'static str) -> Self {
        self.breaker = Some(name);
        self
    }

    /// What it returns need not come from its own last attempt.
    const fn substitute(mut self) -> Self {
        self.has_substitute = true;
        self
    }

    /// It waits for tokens or places without end, and so is not called by one that has a place.
    const fn for_ever(mut self) -> Self {
        self.waits_for_ever = true;
        self
    }

    pub(crate) fn most_attempts(&self) -> u32 {
        self.attempts
    }

    pub(crate) fn quota_of(&self, tenant: u64) -> Option<&'static Quota> {
        let place = if self.quotas.len() > 1 { usize::try_from(tenant).unwrap_or(0) } else { 0 };
        self.quotas.get(place)
    }

    pub(crate) fn crowd_of(&self, host: &str) -> Option<&'static Crowd> {
        let place = if self.crowds.len() > 1 { HOSTS.iter().position(|known| *known == host).unwrap_or(0) } else { 0 };
        self.crowds.get(place)
    }

    pub(crate) fn breaker_name(&self) -> Option<&'static str> {
        self.breaker
    }

    pub(crate) fn has_substitute(&self) -> bool {
        self.has_substitute
    }

    pub(crate) fn waits_for_ever(&self) -> bool {
        self.waits_for_ever
    }

    /// Whose weather it has: that of the service it calls.
    pub(crate) fn service(&self) -> usize {
        self.name.bytes().map(usize::from).sum()
    }
}

pub(crate) static STRIPE: [Quota; 1] = [Quota::new("bucket `stripe`")];
pub(crate) static PACED: [Quota; 1] = [Quota::new("paced")];
pub(crate) static IMPATIENT: [Quota; 1] = [Quota::new("impatient").never_given_up()];
pub(crate) static PATIENT: [Quota; 1] = [Quota::new("patient").never_given_up()];
pub(crate) static TURNSTILE: [Quota; 1] = [Quota::new("turnstile")];
pub(crate) static EVERYTHING: [Quota; 1] = [Quota::new("everything")];
pub(crate) static PARTNER: [Quota; TENANTS] = [const { Quota::new("bucket `partner`, one tenant") }; TENANTS];
pub(crate) static TENANT: [Quota; TENANTS] = [const { Quota::new("tenant, one tenant") }; TENANTS];

pub(crate) static DB: [Crowd; 1] = [Crowd::new("`db`")];
pub(crate) static CROWDED: [Crowd; 1] = [Crowd::new("crowded")];
pub(crate) static QUEUED: [Crowd; 1] = [Crowd::new("queued")];
pub(crate) static BENCH: [Crowd; 1] = [Crowd::new("bench")];
pub(crate) static EVERYBODY: [Crowd; 1] = [Crowd::new("everything")];
pub(crate) static PARTNERS: [Crowd; HOSTS.len()] = [const { Crowd::new("`partner`, one host") }; HOSTS.len()];
pub(crate) static CROWDS: &[&[Crowd]] = &[&DB, &CROWDED, &QUEUED, &BENCH, &EVERYBODY, &PARTNERS];

pub(crate) static ASYNC: &[&[Function]] = &[asynchronous::FUNCTIONS, shapes::ASYNC];
pub(crate) static SYNC: &[&[Function]] = &[blocking::FUNCTIONS, shapes::SYNC];

pub(crate) fn all() -> impl Iterator<Item = &'static Function> {
    ASYNC.iter().chain(SYNC).copied().flatten()
}

pub(crate) fn any(of: &[&'static [Function]], rng: &mut Rng) -> &'static Function {
    let functions = of[rng.usize(..of.len())];
    &functions[rng.usize(..functions.len())]
}

/// Where a name is wrong, this program is.
pub(crate) fn named(name: &str) -> Option<&'static Function> {
    all().find(|function| function.name.ends_with(name))
}

/// Functions that differ in their attribute alone: its keys in brackets, and behind the arrow what must hold.
macro_rules! functions {
    (async $($name:ident($visit:ident) [$($keys:tt)*] => $($fact:ident($($of:expr),*)),*;)*) => {
        $(
            #[resilient::resilient($($keys)*)]
            async fn $name($visit: &crate::visit::Visit) -> crate::visit::Answer {
                $visit.serve().await
            }
        )*
        pub(super) static FUNCTIONS: &[super::Function] = &[$(
            super::Function::new(
                concat!(module_path!(), "::", stringify!($name)),
                super::Run::Async(|visit| Box::pin($name(visit))),
            )$(.$fact($($of),*))*,
        )*];
    };
    (sync $($name:ident($visit:ident) [$($keys:tt)*] => $($fact:ident($($of:expr),*)),*;)*) => {
        $(
            #[resilient::resilient($($keys)*)]
            fn $name($visit: &crate::visit::Visit) -> crate::visit::Answer {
                $visit.serve_blocking()
            }
        )*
        pub(super) static FUNCTIONS: &[super::Function] = &[$(
            super::Function::new(concat!(module_path!(), "::", stringify!($name)), super::Run::Sync($name))$(.$fact($($of),*))*,
        )*];
    };
}
use functions;
pub(crate) use shapes::in_line;
