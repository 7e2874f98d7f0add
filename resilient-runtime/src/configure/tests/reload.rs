//! A configuration that changes under way.

use super::{Directory, turn};
use crate::breaker::State;
use crate::budget::RetryBudget;
use crate::catalog::Entry;
use crate::circuit_breaker::CircuitBreaker;
use crate::clock::now;
use crate::configure::watch::{Found, Watcher, watcher};
use crate::judging::Judged;
use crate::overrides::Overrides;
use crate::rate::Rate;
use crate::site::Site;
use crate::{ConfigError, Verdict, breaker, bucket, configure, reload};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

static BUSY: Site = Site::new("reload::busy", "reload.rs", 1, |site| {
    site.retries(1)
        .base_delay(Duration::from_nanos(1))
        .max_delay(Duration::from_nanos(1))
        .deadline(Duration::from_secs(1_000_001))
        .breaker("reload-busy", CircuitBreaker::new())
        .bucket("reload-busy")
        .max_wait(Duration::ZERO)
});
inventory::submit! { Entry(&BUSY) }

/// Every setting of the function says the same number, so that a call that saw two different ones saw half of two configurations.
fn numbered(number: u32) -> Overrides {
    let nanos = Duration::from_nanos(u64::from(number));
    Overrides::new().retries(number).base_delay(nanos).max_delay(nanos).deadline(Duration::from_secs(1_000_000) + nanos)
}

#[test]
fn no_call_sees_half_of_one_configuration_and_no_state_is_lost() {
    const CALLS: u64 = 12_500;
    let _turn = turn();
    let (is_over, started, finished) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    breaker("reload-kept").force_open();
    let began = now();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..CALLS {
                    let plan = BUSY.plan();
                    let settings = plan.settings;
                    let number = u64::from(settings.retries);
                    assert_eq!((settings.schedule.base, settings.schedule.max), (number, number));
                    let mut engine = crate::call::no_engine();
                    let mut call = crate::call::Call::new(plan, &mut engine);
                    if call.turn_blocking().is_ok() {
                        started.fetch_add(1, Ordering::Relaxed);
                        call.body(|| ());
                        let _ = call.settle_judged(Judged::by(Verdict::Success));
                    }
                    finished.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        scope.spawn(|| {
            for number in 0..1_000_u32 {
                // Reloads come between calls, however threads are scheduled.
                while finished.load(Ordering::Relaxed) < u64::from(number) * CALLS * 8 / 1_000 {
                    std::thread::yield_now();
                }
                let rate = if number % 2 == 0 { Rate::per_second(1_000).burst(10) } else { Rate::per_second(10).burst(1) };
                let breaker = CircuitBreaker::new().failure_threshold(number % 7 + 1);
                let configuration = configure().function("reload::busy", numbered(number % 5 + 1)).bucket("reload-busy", rate);
                configuration.breaker("reload-busy", breaker).lenient().install().expect("valid");
            }
            is_over.swap(true, Ordering::Relaxed);
        });
    });
    let elapsed = now().since(began);
    let bound = 10 + elapsed / 1_000_000 + 1;
    let started = started.load(Ordering::Relaxed);
    assert!(started <= bound, "{started} of {bound}");
    assert!(started > 0 && is_over.load(Ordering::Relaxed));
    assert_eq!(breaker("reload-kept").state(), State::ForcedOpen);
    breaker("reload-kept").reset();
}

#[test]
fn an_open_circuit_stays_open_and_debts_stay_owed() {
    let _turn = turn();
    configure().bucket("reload-debt", Rate::per_second(10).burst(10)).lenient().install().expect("valid");
    let debtor = bucket("reload-debt");
    while debtor.try_acquire(1).is_ok() {}
    breaker("reload-open").force_open();
    let harder = CircuitBreaker::new().failure_threshold(10);
    configure()
        .breaker("reload-open", harder)
        .bucket("reload-debt", Rate::per_hour(1).burst(10))
        .lenient()
        .install()
        .expect("valid");
    assert_eq!(breaker("reload-open").state(), State::ForcedOpen);
    assert!(debtor.try_acquire(1).is_err(), "ten calls are owed at either rate");
    breaker("reload-open").reset();
    configure().lenient().install().expect("valid");
    assert_eq!(bucket("reload-debt").rate(), Rate::per_second(10));
}

/// Two looks: what is new must be the same twice.
fn settled(watcher: &mut Watcher) -> Result<(), ConfigError> {
    assert!(matches!(watcher.look(), Found::Nothing), "a file that is still being written is left alone");
    match watcher.look() {
        Found::Change(result) => result.map(|_| ()),
        found => panic!("{found:?}"),
    }
}

fn retries() -> u32 {
    BUSY.plan().settings.retries
}

fn file(retries: u32) -> String {
    format!("[functions.\"reload::busy\"]\nretries = {retries}\n")
}

fn watched(path: &Path) -> Watcher {
    configure().file(path).watch(Duration::from_secs(3_600)).lenient().install().expect("valid");
    watcher()
}

#[test]
fn a_watched_file_may_be_written_broken_mended_removed_and_replaced() {
    let _turn = turn();
    let directory = Directory::new("watched");
    directory.write("a.toml", &file(3));
    let mut watcher = watched(&directory.path("a.toml"));
    assert_eq!(retries(), 3);
    assert!(matches!(watcher.look(), Found::Nothing));
    directory.write("a.toml", &file(4));
    settled(&mut watcher).expect("valid");
    assert_eq!(retries(), 4);
    directory.write("a.toml", "[functions.\"reload::busy\"]\nretries = many\n");
    let error = settled(&mut watcher).expect_err("no TOML");
    assert!(error.to_string().contains("a.toml:2:"), "{error}");
    assert_eq!(retries(), 4);
    assert!(matches!(watcher.look(), Found::Nothing), "a mistake is told once");
    std::fs::remove_file(directory.path("a.toml")).expect("removed");
    settled(&mut watcher).expect_err("there is no file");
    assert_eq!(retries(), 4);
    directory.write("new.toml", &file(5));
    std::fs::rename(directory.path("new.toml"), directory.path("a.toml")).expect("renamed");
    settled(&mut watcher).expect("valid");
    assert_eq!(retries(), 5);
    directory.write("a.toml", &file(6));
    reload().expect("valid");
    assert_eq!(retries(), 6);
    configure().lenient().install().expect("valid");
    assert_eq!(retries(), 1);
    directory.write("a.toml", &file(7));
    assert!(matches!(watcher.look(), Found::Retired));
    assert_eq!(retries(), 1);
}

#[test]
fn what_a_reload_took_and_the_file_no_longer_holds_does_not_stay() {
    let _turn = turn();
    let directory = Directory::new("between");
    directory.write("a.toml", &file(3));
    let mut watcher = watched(&directory.path("a.toml"));
    directory.write("a.toml", &file(6));
    reload().expect("valid");
    assert_eq!(retries(), 6);
    assert!(matches!((watcher.look(), watcher.look()), (Found::Nothing, Found::Nothing)), "it is in force already");
    directory.write("a.toml", &file(3));
    settled(&mut watcher).expect("valid");
    assert_eq!(retries(), 3);
    configure().lenient().install().expect("valid");
}

#[test]
fn what_a_reload_refused_is_told_by_the_watcher_once_and_what_follows_is_taken() {
    let _turn = turn();
    let directory = Directory::new("refused");
    directory.write("a.toml", &file(3));
    let mut watcher = watched(&directory.path("a.toml"));
    directory.write("a.toml", "[functions.\"reload::busy\"]\nretries = many\n");
    reload().expect_err("no TOML");
    directory.write("a.toml", &file(3));
    assert!(matches!((watcher.look(), watcher.look()), (Found::Nothing, Found::Nothing)), "it was in force all the time");
    directory.write("a.toml", "[functions.\"reload::busy\"]\nretries = many\n");
    reload().expect_err("no TOML");
    settled(&mut watcher).expect_err("no TOML");
    reload().expect_err("no TOML");
    assert!(matches!((watcher.look(), watcher.look()), (Found::Nothing, Found::Nothing)), "a mistake is told once");
    assert_eq!(retries(), 3);
    directory.write("a.toml", &file(4));
    reload().expect("valid");
    directory.write("a.toml", "[functions.\"reload::busy\"]\nretries = many\n");
    settled(&mut watcher).expect_err("a mistake that came again");
    assert_eq!(retries(), 4);
    configure().lenient().install().expect("valid");
}

#[test]
fn a_second_configuration_that_is_refused_leaves_the_watcher_of_the_first() {
    let _turn = turn();
    let directory = Directory::new("twice");
    directory.write("a.toml", &file(3));
    let path = directory.path("a.toml");
    let mut first = watched(&path);
    directory.write("a.toml", &file(4));
    configure().file(&path).bucket("", Rate::per_second(1)).lenient().install().expect_err("a name that is empty");
    settled(&mut first).expect("valid");
    assert_eq!(retries(), 4);
    directory.write("a.toml", &file(5));
    let mut second = watched(&path);
    assert_eq!(retries(), 5);
    directory.write("a.toml", &file(4));
    assert!(matches!(first.look(), Found::Retired));
    settled(&mut second).expect("valid");
    assert_eq!(retries(), 4);
    configure().lenient().install().expect("valid");
}

/// As Kubernetes mounts a `ConfigMap`: the file is a link into a folder that is a link, and the folder's link is replaced.
#[test]
#[cfg(unix)]
fn a_folder_that_is_swapped_by_its_link_is_seen() {
    let _turn = turn();
    let directory = Directory::new("links");
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, directory.path(name)).expect("a link");
    for (folder, retries) in [("1", 3), ("2", 4)] {
        std::fs::create_dir(directory.path(folder)).expect("a folder");
        directory.write(&format!("{folder}/a.toml"), &file(retries));
    }
    link("1", "data");
    link("data/a.toml", "a.toml");
    let mut watcher = watched(&directory.path("a.toml"));
    assert_eq!(retries(), 3);
    link("2", "data.new");
    std::fs::rename(directory.path("data.new"), directory.path("data")).expect("swapped");
    settled(&mut watcher).expect("valid");
    assert_eq!(retries(), 4);
    configure().lenient().install().expect("valid");
}

#[test]
fn a_refused_configuration_changes_nothing() {
    let _turn = turn();
    configure().function("reload::busy", Overrides::new().retries(9)).lenient().install().expect("valid");
    let bad = configure().function("reload::busy", Overrides::new().retries(2)).bucket("reload-refused", Rate::per_second(0));
    bad.lenient().install().expect_err("a rate of zero");
    assert_eq!(retries(), 9);
    assert_eq!(bucket("reload-refused").rate(), Rate::per_second(10));
    configure().lenient().install().expect("valid");
}

static PAYING: Site = Site::new("reload::paying", "reload.rs", 3, |site| site.retries(1).budget_named("reload-paying"));
inventory::submit! { Entry(&PAYING) }

#[test]
fn a_pool_that_is_switched_on_again_is_handed_down() {
    let _turn = turn();
    let install = |enabled| configure().budget("reload-paying", RetryBudget::new().enabled(enabled)).lenient().install();
    for enabled in [false, true, false, true] {
        install(enabled).expect("valid");
        assert_eq!(PAYING.plan().pools.is_some(), enabled);
    }
    configure().lenient().install().expect("valid");
}

static UNCHANGED: Site = Site::new("reload::unchanged", "reload.rs", 4, |site| {
    site.retries(1)
        .breaker("reload-unchanged", CircuitBreaker::new())
        .bucket("reload-unchanged")
        .bulkhead("reload-unchanged")
        .budget_named("reload-unchanged")
});
inventory::submit! { Entry(&UNCHANGED) }

/// Plans stay for ever, so one that is like the last must be the last.
#[test]
fn what_changes_nothing_makes_no_new_plan() {
    let _turn = turn();
    let install = |retries| configure().function("reload::unchanged", Overrides::new().retries(retries)).lenient().install();
    install(2).expect("valid");
    let plan = UNCHANGED.plan();
    install(2).expect("valid");
    assert!(std::ptr::eq(UNCHANGED.plan(), plan));
    install(3).expect("valid");
    assert!(!std::ptr::eq(UNCHANGED.plan(), plan));
    configure().lenient().install().expect("valid");
}
