//! One call, as its caller and its bodies see it.

use crate::bug::Bug;
use crate::clock::Moment;
use crate::counts::{Count, count};
use crate::fault::{Fate, Fault, Planned, fate};
use crate::functions::{ASYNC, Function, Run, SYNC};
use crate::violations::{check, found};
use fastrand::Rng;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// The number of the attempt that succeeded.
pub(crate) type Answer = Result<u32, Fault>;

pub(crate) const TENANTS: usize = 8;
pub(crate) const HOSTS: [&str; 3] = ["north", "south", "west"];
const DEEPEST: u32 = 2;

#[derive(Debug)]
pub(crate) struct Visit {
    pub(crate) function: &'static Function,
    /// One of a few, whose quotas are checked.
    pub(crate) tenant: u64,
    pub(crate) host: &'static str,
    /// One of more than there is room for.
    pub(crate) stranger: u64,
    pub(crate) patience: Duration,
    /// The body stays until it is dropped.
    stays: bool,
    depth: u32,
    seed: u64,
    began: Moment,
    attempts: AtomicU32,
    last_fault: AtomicU64,
    has_nested: AtomicBool,
    is_over: AtomicBool,
}

impl Visit {
    pub(crate) fn new(function: &'static Function, rng: &mut Rng) -> Self {
        Self {
            function,
            tenant: rng.u64(..TENANTS as u64),
            host: HOSTS[rng.usize(..HOSTS.len())],
            stranger: rng.u64(..2_000),
            patience: Duration::from_millis(rng.u64(..120)),
            stays: false,
            depth: 0,
            seed: rng.u64(..),
            began: Moment::now(),
            attempts: AtomicU32::new(0),
            last_fault: AtomicU64::new(0),
            has_nested: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
        }
    }

    /// One whose body stays until it is dropped, and which waits for nothing.
    pub(crate) fn staying(function: &'static Function, tenant: u64, host: &'static str) -> Self {
        let mut rng = Rng::with_seed(tenant);
        Self { tenant, host, stays: true, patience: Duration::ZERO, ..Self::new(function, &mut rng) }
    }

    /// The same for a body that answers at once.
    pub(crate) fn passing(function: &'static Function, tenant: u64, host: &'static str) -> Self {
        Self { stays: false, ..Self::staying(function, tenant, host) }
    }

    /// The same for a stranger.
    pub(crate) fn of_stranger(self, stranger: u64) -> Self {
        Self { stranger, ..self }
    }

    /// What an async body does.
    pub(crate) async fn serve(&self) -> Answer {
        let stay = self.enter();
        if self.stays {
            std::future::pending::<()>().await;
        }
        match stay.fate.clone() {
            Fate::Late(delay) => tokio::time::sleep(delay).await,
            Fate::FailLate(fault, delay) => {
                tokio::time::sleep(delay).await;
                return self.failed(fault);
            }
            Fate::Hang => tokio::time::sleep(Duration::from_secs(2)).await,
            Fate::Nest => {
                if let Some((inner, Run::Async(run))) = self.inner(ASYNC) {
                    let inner = Over(inner);
                    let outcome = run(&inner.0).await;
                    self.passed(inner.0.judged(outcome))?;
                }
            }
            fate => return self.at_once(fate, stay.attempt),
        }
        Ok(stay.attempt)
    }

    /// What a sync body does.
    pub(crate) fn serve_blocking(&self) -> Answer {
        let stay = self.enter();
        match stay.fate.clone() {
            Fate::Late(delay) => std::thread::sleep(delay),
            Fate::FailLate(fault, delay) => {
                std::thread::sleep(delay);
                return self.failed(fault);
            }
            Fate::Hang => std::thread::sleep(Duration::from_millis(40)),
            Fate::Nest => {
                if let Some((inner, Run::Sync(run))) = self.inner(SYNC) {
                    let inner = Over(inner);
                    let outcome = run(&inner.0);
                    self.passed(inner.0.judged(outcome))?;
                }
            }
            fate => return self.at_once(fate, stay.attempt),
        }
        Ok(stay.attempt)
    }

    /// Whether an attempt's `Ok` is not yet what was asked for; told by numbers, as that is all that an `Ok` holds.
    pub(crate) fn is_pending(&self, attempt: u32) -> bool {
        matches!(self.fate(attempt), Fate::Pending)
    }

    fn at_once(&self, fate: Fate, attempt: u32) -> Answer {
        match fate {
            Fate::Fail(fault) => self.failed(fault),
            Fate::Panic if Bug::Panic.is_seeded() => std::panic::resume_unwind(Box::new("unplanned")),
            Fate::Panic => std::panic::resume_unwind(Box::new(Planned)),
            _ => Ok(attempt),
        }
    }

    fn failed(&self, fault: Fault) -> Answer {
        self.passed(Err(fault))
    }

    fn passed(&self, answer: Answer) -> Answer {
        let number = answer.as_ref().err().and_then(Fault::number);
        self.last_fault.store(number.unwrap_or(0), Ordering::SeqCst);
        answer
    }

    fn fate(&self, attempt: u32) -> Fate {
        let mut rng = Rng::with_seed(self.seed.wrapping_add(u64::from(attempt)));
        fate(self.function.service(), self.seed | u64::from(attempt) | 1, &mut rng)
    }

    /// A call inside this one.
    fn inner(&self, functions: &[&'static [Function]]) -> Option<(Self, &'static Run)> {
        if self.depth >= DEEPEST {
            return None;
        }
        let mut rng = Rng::with_seed(self.seed ^ 0x9e37);
        let function = crate::functions::any(functions, &mut rng);
        if function.waits_for_ever() {
            return None;
        }
        self.has_nested.store(true, Ordering::SeqCst);
        count(Count::Nested);
        Some((Self { depth: self.depth + 1, ..Self::new(function, &mut rng) }, &function.run))
    }

    fn enter(&self) -> Stay<'_> {
        check(!self.is_over.load(Ordering::SeqCst), || format!("{}: a body runs whose call is over", self.function.name));
        let more = if Bug::ExtraAttempt.is_seeded() { 2 } else { 1 };
        let attempt = self.attempts.fetch_add(more, Ordering::SeqCst) + more;
        let most = self.function.most_attempts();
        check(attempt <= most, || format!("{}: attempt {attempt}, where {most} are allowed", self.function.name));
        count(Count::Bodies);
        if let Some(quota) = self.function.quota_of(self.tenant) {
            quota.admit(self.began);
        }
        if let Some(crowd) = self.function.crowd_of(self.host) {
            crowd.enter(self.began);
        }
        Stay { visit: self, attempt, fate: self.fate(attempt) }
    }

    /// What the caller makes of the outcome.
    pub(crate) fn judged(&self, outcome: Answer) -> Answer {
        let attempts = self.attempts.load(Ordering::SeqCst);
        let name = self.function.name;
        match &outcome {
            Ok(_) if self.function.has_substitute() => {}
            Ok(attempt) => check(*attempt == attempts, || format!("{name}: attempt {attempt} of {attempts} is not the last")),
            Err(Fault::Rejected(rejected)) if rejected.function() == name && !self.has_nested.load(Ordering::SeqCst) => {
                let told = rejected.attempts();
                check(told == attempts, || format!("{name}: told of {told} attempts after {attempts}: {rejected}"));
            }
            Err(fault) => {
                let last = self.last_fault.load(Ordering::SeqCst) + u64::from(Bug::OtherError.is_seeded());
                let is_last = fault.number().is_none_or(|number| number == last);
                check(is_last, || format!("{name}: {fault:?} is not the last error, which was {last}"));
            }
        }
        crate::counts::count_outcome(&outcome);
        outcome
    }
}

/// A body that runs.
struct Stay<'v> {
    visit: &'v Visit,
    attempt: u32,
    fate: Fate,
}

impl Drop for Stay<'_> {
    fn drop(&mut self) {
        if let Some(crowd) = self.visit.function.crowd_of(self.visit.host) {
            crowd.leave();
        }
    }
}

/// A call that is over when this is dropped, and so before its borrowed futures' place is.
#[derive(Debug)]
pub(crate) struct Over<V: AsRef<Visit>>(pub(crate) V);

impl<V: AsRef<Visit>> Drop for Over<V> {
    fn drop(&mut self) {
        self.0.as_ref().is_over.store(true, Ordering::SeqCst);
        if Bug::LateBody.is_seeded() {
            drop(self.0.as_ref().enter());
        }
    }
}

impl AsRef<Self> for Visit {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// What a panic was about.
pub(crate) fn caught(visit: &Visit, payload: &(dyn std::any::Any + Send)) {
    count(Count::Panics);
    if !payload.is::<Planned>() {
        found(format!("{}: a panic that nobody planned", visit.function.name));
    }
}

pub(crate) type Shared = Arc<Visit>;
