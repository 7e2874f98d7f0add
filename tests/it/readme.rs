//! The README's tables say what the code does.

use crate::support::{keys, millis};
use resilient::testing::TurnedClock;
use resilient::{Backoff, CircuitBreaker, Jitter, Policy, Rate, State};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::io;
use std::process::Command;
use std::time::Duration;

const README: &str = include_str!("../../README.md");

/// The rows of the tables in a section: what stands first in the first cell, and the last cell.
fn rows<'t>(section: &'t str) -> impl Iterator<Item = (&'t str, &'t str)> {
    let row = |line: &'t str| {
        let (first, rest) = line.strip_prefix("| `")?.strip_suffix(" |")?.split_once('|')?;
        let end = first.find(|c: char| !(c.is_alphanumeric() || "_-".contains(c)))?;
        Some((&first[..end], rest.rsplit('|').next()?.trim()))
    };
    section.lines().map(|line| line.trim_start_matches("/// ")).filter_map(row)
}

fn section(title: &str) -> &'static str {
    let (_, section) = README.split_once(&format!("\n## {title}\n")).unwrap();
    section.split("\n## ").next().unwrap()
}

/// The README's word on a key's default.
fn default(key: &str) -> &'static str {
    rows(section("Keys")).find(|(name, _)| *name == key).map_or_else(|| panic!("no row for `{key}`"), |(_, default)| default)
}

fn duration(key: &str) -> Duration {
    let text = default(key).trim_matches('`');
    let end = text.find(char::is_alphabetic).unwrap();
    let number = text[..end].parse().unwrap();
    match &text[end..] {
        "ms" => millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(60 * number),
        unit => panic!("{unit}"),
    }
}

fn lost() -> io::Result<()> {
    Err(io::ErrorKind::ConnectionReset.into())
}

#[test]
fn every_key_has_a_row_here_and_at_the_attribute_with_the_same_default() {
    let attribute = include_str!("../../resilient-macros/src/lib.rs");
    let (attribute, _) = attribute.split_once("#[proc_macro_attribute]").unwrap();
    for key in keys("KEYS").into_iter().chain(keys("BREAKER_KEYS").into_iter().filter(|key| *key != "name")) {
        let there = rows(attribute).find(|(name, _)| *name == key);
        let (_, there) = there.unwrap_or_else(|| panic!("no row for `{key}` at the attribute"));
        assert!(default(key).starts_with(there), "`{key}`: {} or {there}?", default(key));
    }
}

#[test]
fn every_row_is_a_key() {
    for (key, _) in rows(section("Keys")) {
        assert!(keys("KEYS").contains(&key) || keys("BREAKER_KEYS").contains(&key), "{key}");
    }
}

#[test]
fn waits_are_as_stated() {
    let policy = Policy::builder().retries(1).build().unwrap();
    let waits: Vec<_> = policy.schedule(99).collect();
    assert_eq!((waits[0], waits[98]), (duration("base_delay"), duration("max_delay")));
    let debug = format!("{policy:?}").to_lowercase();
    for key in ["max_retry_after", "max_wait"] {
        assert!(debug.contains(&format!("{key}: {}", duration(key).as_nanos())), "{key}: {debug}");
    }
    for key in ["backoff", "jitter"] {
        assert!(debug.contains(&format!("{key}: {}", default(key).trim_matches('`'))), "{key}: {debug}");
    }
}

#[test]
fn named_resources_are_as_stated() {
    let rate = default("bucket").rsplit(' ').next().and_then(|rate| rate.strip_suffix("/s")).unwrap();
    assert_eq!(resilient::bucket("of the README").rate(), Rate::per_second(rate.parse().unwrap()));
    let limit = default("bulkhead").rsplit(' ').next().unwrap();
    assert_eq!(resilient::bulkhead("of the README").limit().to_string(), limit);
}

#[test]
fn the_budget_is_as_stated() {
    let clock = TurnedClock::start();
    let policy = Policy::builder().retries(1_000).base_delay(Duration::from_nanos(1)).backoff(Backoff::Constant);
    let policy = policy.jitter(Jitter::None).build().unwrap();
    let retries = || {
        let attempts = Cell::new(0);
        policy.run(|| lost().inspect_err(|_| attempts.set(attempts.get() + 1))).unwrap_err();
        attempts.get() - 1
    };
    let pool = retries();
    clock.advance(Duration::from_secs(1));
    let per_second = retries();
    let successes = (1..100).find(|_| policy.run(|| io::Result::Ok(())).is_ok() && retries() == 1);
    let ratio = 1.0 / f64::from(successes.unwrap());
    let stated = format!("{ratio} and {per_second} a second, from a pool of {pool}");
    assert!(default("budget").starts_with(&stated), "{stated}");
}

#[test]
fn a_breaker_is_as_stated() {
    let clock = TurnedClock::start();
    let (policy, breaker) = (Policy::builder().breaker("of the README").build().unwrap(), resilient::breaker("of the README"));
    let opening = (1..100).find(|_| policy.run(lost).is_err() && breaker.state() == State::Open);
    assert_eq!(opening.unwrap().to_string(), default("failure_threshold").split(';').next().unwrap());

    let open_for = || {
        let mut time = Duration::ZERO;
        while breaker.state() == State::Open {
            clock.advance(millis(10));
            time += millis(10);
        }
        time
    };
    let is_stated = |time: Duration, key| (duration(key) * 9 / 10..=duration(key) + millis(10)).contains(&time);
    assert!(is_stated(open_for(), "recovery_timeout"));
    let reopened = (0..10).map(|_| {
        policy.run(lost).unwrap_err();
        open_for()
    });
    assert!(is_stated(reopened.max().unwrap(), "max_recovery_timeout"));

    let mut successes = probes_at_once(&policy);
    assert_eq!(successes.to_string(), default("half_open_calls"));
    while breaker.state() != State::Closed {
        policy.run(|| io::Result::Ok(())).unwrap();
        successes += 1;
    }
    assert_eq!(successes.to_string(), default("success_threshold"));
}

#[test]
fn the_windows_of_a_breaker_are_as_stated() {
    let clock = TurnedClock::start();
    let settings = CircuitBreaker::new().failure_ratio(1.0).slow_call_duration(millis(1));
    let policy = Policy::builder().breaker_with("window of the README", settings).build().unwrap();
    let breaker = resilient::breaker("window of the README");
    let opening = (1..100).find(|_| policy.run(lost).is_err() && breaker.state() == State::Open);
    assert!(default("minimum_calls").starts_with(&format!("{},", opening.unwrap())));
    breaker.reset();
    (0..1_000).for_each(|_| policy.run(|| io::Result::Ok(())).unwrap());
    assert_eq!(format!("{} calls", breaker.counts().calls), default("window"));
    let slow = || {
        clock.advance(millis(2));
        io::Result::Ok(())
    };
    let slow = (1..100).find(|_| policy.run(slow).is_ok() && breaker.state() == State::Open);
    assert_eq!((f64::from(slow.unwrap()) / 100.0).to_string(), default("slow_call_ratio"));
}

/// Every probe makes another call before it succeeds, until one is refused.
fn probes_at_once(policy: &Policy) -> u32 {
    policy.run(|| io::Result::Ok(1 + probes_at_once(policy))).unwrap_or(0)
}

/// The crates that `cargo tree` finds with the feature `tokio` alone.
fn crates(edges: &str) -> BTreeSet<String> {
    let mut tree = Command::new(env!("CARGO"));
    tree.args([
        "tree",
        "--offline",
        "--package",
        "resilient-fn",
        "--no-default-features",
        "--features",
        "tokio",
        "--prefix",
        "none",
    ]);
    tree.args(["--target", "x86_64-unknown-linux-gnu", "--edges", edges]);
    tree.current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = tree.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn who_wants_no_features_pays_for_the_crates_that_are_listed() {
    let (_, list) = section("Add it").split_once("these 15 crates").unwrap();
    let (list, macros) = list.split_once("): ").unwrap().1.split_once("The attribute itself").unwrap();
    let names = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<BTreeSet<_>>();
    let run = crates("normal,no-proc-macro");
    assert_eq!((&run, run.len()), (&names(list), 15));
    let all = crates("normal");
    let compiled: BTreeSet<_> = all.difference(&run).filter(|name| *name != "resilient-macros").cloned().collect();
    assert_eq!(compiled, names(macros));
}

#[test]
fn every_feature_and_every_event_has_a_row() {
    let manifest = include_str!("../../Cargo.toml");
    let features = manifest.split_once("[features]\n").unwrap().1.split("\n\n").next().unwrap();
    for (feature, _) in features.lines().filter_map(|line| line.split_once(" =")).filter(|(feature, _)| *feature != "default") {
        assert!(rows(section("Add it")).any(|(row, _)| row == feature), "{feature}");
    }
    let told: Vec<_> = include_str!("../../resilient-runtime/src/events.rs").split("tell!(").skip(1).collect();
    assert!(told.len() > 8);
    for event in told {
        let (level, rest) = event.split_once(", \"").unwrap();
        let (name, rest) = rest.split_once('"').unwrap();
        let row = section("What is told").lines().find(|row| row.starts_with(&format!("| `{name}` | {} |", level.to_lowercase())));
        let row = row.unwrap_or_else(|| panic!("{name}, {level}"));
        let fields = rest.lines().next().unwrap().split(',').filter_map(|field| field.split('=').next());
        for field in fields.map(|field| field.trim_matches([' ', ')', ';'])).filter(|field| !field.is_empty()) {
            assert!(row.contains(&format!("`{field}`")), "{name}: {field}");
        }
    }
}

/// What only an attribute can say: code, and which function has what.
const CODE: [&str; 10] = ["retry_if", "classify", "fallback", "map_err", "clone", "reuse", "context", "key", "name", "crate"];
/// Keys that name something whose settings are configured.
const NAMES: [&str; 3] = ["breaker", "bucket", "bulkhead"];

#[test]
fn every_key_is_configured_or_is_code() {
    let known = resilient::__private::settings();
    let is_configured = |table: &str, key: &str| known.iter().any(|(known, word, _)| (*known, *word) == (table, key));
    for key in keys("KEYS").into_iter().filter(|key| !CODE.contains(key)) {
        let table = format!("{key}s");
        let is_named = NAMES.contains(&key) && known.iter().any(|(known, ..)| *known == table);
        let is_shared =
            key == "max_keys" && ["breakers", "buckets", "bulkheads"].into_iter().all(|table| is_configured(table, key));
        assert!(is_configured("functions", key) || is_named || is_shared, "configuration does not know `{key}`");
    }
    for key in keys("BREAKER_KEYS").into_iter().filter(|key| !CODE.contains(key)) {
        assert!(is_configured("breakers", key) && is_configured("defaults", key), "configuration does not know `{key}`");
    }
    for key in CODE.into_iter().chain(NAMES) {
        assert!(keys("KEYS").contains(&key) && !is_configured("functions", key), "{key}");
    }
}
