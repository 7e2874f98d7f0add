//! When everybody has stopped, everything must come to rest: nothing alive, nothing in flight, all tokens and places back, all circuits
//! closed by ordinary calls.

use crate::bug::Bug;
use crate::chains;
use crate::fault::{Fault, Weather, set_weather};
use crate::functions::{CROWDS, Function, Run, all, named};
use crate::ledger::Crowd;
use crate::operators::BY_HAND;
use crate::settings::{DOORS, Door, Place, Settings, TAPS, Tap};
use crate::threads;
use crate::violations::check;
use crate::visit::{Answer, HOSTS, TENANTS, Visit};
use resilient::{Breaker, CircuitBreaker, Configuration, Overrides, Rejected, State};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Ten times the longest time that a circuit stays open here, and longer than any timer runs.
const RECOVERY: Duration = Duration::from_secs(2);
/// What is over but not yet taken away may take so long on a machine with other work to do.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longer than the slowest bucket needs to be full.
const REST: Duration = Duration::from_secs(1);
/// More calls than any breaker here needs to close.
const CALLS: u32 = 20;
const OURS: &str = "soak::functions::*";

pub(crate) fn quiesce(runtime: &Runtime, threads: usize) -> anyhow::Result<()> {
    set_weather(Weather::Still);
    // Without a file, so that its watch ends.
    Settings::first().install()?;
    seed_bugs(runtime);
    nobody_is_left(runtime, threads);
    drain();
    all_places_are_free();
    nobody_is_woken(runtime);
    circuits_close(runtime)?;
    chains::check_all();
    Settings::first().with(without_waits).install()?;
    std::thread::sleep(REST);
    for tap in TAPS {
        is_full(tap, runtime);
    }
    Settings::first().with(places_alone).without_quotas().install()?;
    for door in DOORS {
        lets_all_in(door, runtime);
    }
    all_places_are_free();
    Settings::first().install()?;
    std::thread::sleep(REST);
    Ok(())
}

fn seed_bugs(runtime: &Runtime) {
    if Bug::ForgottenTask.is_seeded() {
        runtime.spawn(std::future::pending::<()>());
    }
    if Bug::ForgottenThread.is_seeded() {
        std::thread::spawn(std::thread::park);
    }
    if Bug::ForgottenTimer.is_seeded() {
        let _runtime = runtime.enter();
        let mut timer = Box::pin(tokio::time::sleep(RECOVERY / 2));
        let _ = timer.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        std::mem::forget(timer);
    }
    if Bug::ForcedBreaker.is_seeded() {
        resilient::breaker("prices").force_open();
    }
    if Bug::LeakedCall.is_seeded()
        && let Some(Function { run: Run::Async(run), .. }) = named("asynchronous::stored")
        && let Some(function) = named("asynchronous::stored")
    {
        let visit: &'static Visit = Box::leak(Box::new(Visit::staying(function, 0, HOSTS[0])));
        let _runtime = runtime.enter();
        let mut call = run(visit);
        let _ = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        std::mem::forget(call);
    }
}

fn drain() {
    if Bug::DrainedBucket.is_seeded() {
        std::thread::spawn(|| {
            loop {
                let _ = resilient::bucket("stripe").try_acquire(1);
                std::thread::sleep(Duration::from_micros(100));
            }
        });
    }
}

fn nobody_is_left(runtime: &Runtime, threads: usize) {
    let alive = || runtime.metrics().num_alive_tasks();
    check(in_time(|| alive() == 0), || format!("{} tasks are alive when all have ended", alive()));
    let mut left = 0;
    let is_none_left = in_time(|| {
        left = threads::number().unwrap_or(usize::MAX);
        left <= threads
    });
    check(is_none_left, || format!("{left} threads are left of {threads} at the start"));
}

/// Whom a timer wakes goes to sleep again: where nobody does there is no timer, as none runs for longer.
fn nobody_is_woken(runtime: &Runtime) {
    let metrics = runtime.metrics();
    let naps = || (0..metrics.num_workers()).map(|worker| metrics.worker_park_count(worker)).sum::<u64>();
    // Who sleeps until a timer that was dropped meanwhile is woken for it in vain; a new one has it look which are left.
    runtime.block_on(async { tokio::time::sleep(Duration::from_millis(10)).await });
    // Who has just lost the last task looks for another before it sleeps.
    std::thread::sleep(Duration::from_millis(100));
    let before = naps();
    std::thread::sleep(RECOVERY);
    let woken = naps() - before;
    check(woken == 0, || format!("a worker was woken {woken} times, though there is nothing to wake for: a timer is left"));
}

fn in_time(mut holds: impl FnMut() -> bool) -> bool {
    let until =
        Instant::now() + if Bug::ForgottenTask.is_seeded() || Bug::ForgottenThread.is_seeded() { RECOVERY } else { PATIENCE };
    while !holds() {
        if Instant::now() > until {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}

fn all_places_are_free() {
    for crowd in CROWDS.iter().copied().flatten() {
        check(crowd.running() == 0, || format!("bulkhead of {}: {} bodies run when all have ended", crowd.name(), crowd.running()));
    }
    for door in DOORS {
        if let Place::Named(name) = door.place {
            let bulkhead = resilient::bulkhead(name);
            let (in_flight, waiting) = (bulkhead.in_flight(), bulkhead.waiting());
            check((in_flight, waiting) == (0, 0), || {
                format!("bulkhead `{name}`: {in_flight} in flight and {waiting} waiting at rest")
            });
        }
    }
}

/// By calls alone, but for those that somebody has forced.
fn circuits_close(runtime: &Runtime) -> anyhow::Result<()> {
    for name in BY_HAND.iter().chain(&[chains::ALONE]) {
        let breaker = resilient::breaker(name);
        if breaker.is_shadow() || matches!(breaker.state(), State::ForcedOpen | State::Disabled) {
            breaker.reset();
        }
    }
    Settings::first().with(breakers_alone).without_quotas().install()?;
    for function in all() {
        if let Some(name) = function.breaker_name() {
            closes(resilient::breaker(name), name, || pass(runtime, &Visit::passing(function, 0, HOSTS[0])));
        }
    }
    for (family, name) in [("tenants", "tenant"), ("strangers", "strangers")] {
        let function = function_of(name)?;
        for key in 0..if family == "tenants" { TENANTS as u64 } else { 2_000 } {
            if let Some(breaker) = resilient::keyed_breakers(family).get(&key) {
                closes(&breaker, family, || pass(runtime, &Visit::passing(function, key, HOSTS[0]).of_stranger(key)));
            }
        }
    }
    let (partner, hosted) = (function_of("asynchronous::partner")?, function_of("blocking::hosted")?);
    let partners = resilient::keyed_breakers("partner");
    for host in HOSTS {
        if let Some(breaker) = partners.get(host) {
            closes(&breaker, "partner, by host", || pass(runtime, &Visit::passing(hosted, 0, host)));
        }
        for tenant in 0..TENANTS as u64 {
            if let Some(breaker) = partners.get(&(tenant, host.to_owned())) {
                closes(&breaker, "partner, by tenant and host", || pass(runtime, &Visit::passing(partner, tenant, host)));
            }
        }
    }
    Ok(())
}

fn function_of(name: &str) -> anyhow::Result<&'static Function> {
    anyhow::Context::with_context(named(name), || format!("there is no function {name}"))
}

fn closes(breaker: &Breaker, name: &str, mut call: impl FnMut() -> Answer) {
    check(breaker.state() != State::Open, || format!("breaker `{name}` is still open after ten recovery times"));
    for _ in 0..CALLS {
        if breaker.state() == State::Closed {
            return;
        }
        let outcome = call();
        check(outcome.is_ok(), || format!("breaker `{name}`: {:?} when all is well, {:?}", outcome, breaker.state()));
    }
    check(breaker.state() == State::Closed, || {
        format!("breaker `{name}` is {:?} after {CALLS} calls that went well", breaker.state())
    });
}

fn without_waits(all: Configuration) -> Configuration {
    all.function(OURS, timeless().max_wait(Duration::ZERO).breaker_enabled(false))
}

fn places_alone(all: Configuration) -> Configuration {
    all.function(OURS, timeless().max_wait(Duration::ZERO).breaker_enabled(false).rate_enabled(false).bucket_enabled(false))
}

fn breakers_alone(all: Configuration) -> Configuration {
    let own = timeless().rate_enabled(false).bucket_enabled(false).concurrency_enabled(false).bulkhead_enabled(false);
    let never_slow = CircuitBreaker::new().slow_call_duration(PATIENCE).max_recovery_timeout(RECOVERY / 10);
    all.function(OURS, own).breaker("search", never_slow.recovery_timeout(RECOVERY / 50))
}

/// How long a thread has to wait for a core is no failure of anybody's.
fn timeless() -> Overrides {
    Overrides::new().retries(0).timeout_enabled(false).deadline_enabled(false)
}

/// The whole burst is there.
fn is_full(tap: &Tap, runtime: &Runtime) {
    let Some(function) =
        all().find(|function| function.quota_of(0).is_some_and(|quota| std::ptr::eq(quota, &raw const tap.quotas[0])))
    else {
        return;
    };
    for (tenant, quota) in (0..).zip(tap.quotas) {
        quota.open_window();
        for number in 1..=tap.burst() {
            // Of those that many share a place of, no two at once.
            let host = HOSTS[number as usize % HOSTS.len()];
            let outcome = pass(runtime, &Visit::passing(function, tenant, host));
            check(outcome.is_ok(), || {
                format!("{:?}: token {number} of {} is not there after a rest: {outcome:?}", tap.place, tap.burst())
            });
        }
        // What more there is must be by the rate.
        for number in 1..=tap.burst() {
            let outcome = pass(runtime, &Visit::passing(function, tenant, HOSTS[number as usize % HOSTS.len()]));
            let is_paced = matches!(outcome, Ok(_) | Err(Fault::Rejected(Rejected::RateLimited(_))));
            check(is_paced, || format!("{}: token {number} beyond the burst: {outcome:?}", quota.name()));
        }
        if Bug::ExtraBurstAtRest.is_seeded() {
            quota.seed_a_burst();
        }
    }
    if let Place::Named("stripe") = tap.place {
        std::thread::sleep(REST);
        let all = resilient::bucket("stripe").try_acquire(tap.burst());
        check(all.is_ok(), || format!("bucket `stripe` is not full after a rest: {all:?}"));
    }
}

/// As many as the limit says, and no more.
fn lets_all_in(door: &Door, runtime: &Runtime) {
    let is_its = |function: &&Function| {
        let is_its = |crowd: &Crowd| std::ptr::eq(crowd, &raw const door.crowds[0]);
        function.crowd_of(HOSTS[0]).is_some_and(is_its) && matches!(function.run, Run::Async(_))
    };
    let Some(function) = all().find(is_its) else { return };
    let Run::Async(run) = function.run else { return };
    let hosts = &HOSTS[..door.crowds.len()];
    for host in hosts {
        let visits: Vec<_> =
            (0..=door.limit()).map(|number| Visit::staying(function, u64::from(number) % TENANTS as u64, host)).collect();
        let _runtime = runtime.enter();
        let mut calls: Vec<_> = visits.iter().map(run).collect();
        let mut entered = calls.iter_mut().map(|call| call.as_mut().poll(&mut Context::from_waker(Waker::noop())));
        for number in 1..=door.limit() {
            let is_in = entered.next().is_some_and(|poll| poll.is_pending());
            check(is_in, || format!("{:?}: place {number} of {} is not free after a rest", door.place, door.limit()));
        }
        let beyond = entered.next();
        let is_refused = matches!(beyond, Some(Poll::Ready(Err(Fault::Rejected(Rejected::BulkheadFull(_))))));
        check(is_refused || function.waits_for_ever(), || format!("{:?}: one more than {}: {beyond:?}", door.place, door.limit()));
    }
}

fn pass(runtime: &Runtime, visit: &Visit) -> Answer {
    match visit.function.run {
        Run::Async(run) => runtime.block_on(run(visit)),
        Run::Sync(run) => run(visit),
    }
}
