//! The golden tables of `docs/golden-tables.md`: what runs, is counted, taken and waited for under each combination of policies.
//!
//! `UPDATE_GOLDEN=1 cargo test --all-features golden` writes the file anew.

use resilient::testing::TurnedClock;
use resilient::{CircuitBreaker, Jitter, Policy, PolicyBuilder, Rejected, State, TryAcquireError, breaker, bucket};
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The policies that change what the tables show, each with the words of the attribute.
const POLICIES: [(&str, fn(PolicyBuilder, &Names) -> PolicyBuilder); 4] = [
    ("retries = 3", |policy, _| policy.retries(3).jitter(Jitter::None)),
    ("breaker(failure_threshold = 3)", |policy, names| {
        policy.breaker_with(&names.breaker, CircuitBreaker::new().failure_threshold(3))
    }),
    ("rate = 2", |policy, names| policy.rate(2).bucket(&names.bucket)),
    ("deadline = \"650ms\"", |policy, _| policy.deadline(Duration::from_millis(650))),
];

const RATE: usize = 4;
const INTERVAL: Duration = Duration::from_millis(500);

/// Policies that change none of it, as long as nobody else is there.
const BYSTANDERS: [fn(PolicyBuilder) -> PolicyBuilder; 3] =
    [|policy| policy, |policy| policy.concurrency(1), |policy| policy.timeout(Duration::from_millis(650))];

/// Resources of one row, so that rows do not meet.
struct Names {
    breaker: String,
    bucket: String,
}

#[derive(Debug, PartialEq, Eq)]
struct Row {
    outcome: String,
    attempts: u32,
    failures: u32,
    tokens: u128,
    waits: Vec<Duration>,
}

/// One call that fails `failing` times, and what it did.
fn call(combination: usize, bystander: usize, failing: u32) -> Row {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let number = CALLS.fetch_add(1, Ordering::Relaxed);
    let names = Names { breaker: format!("golden breaker {number}"), bucket: format!("golden bucket {number}") };
    let clock = TurnedClock::start();
    let policy = policy(combination, bystander, &names);
    let (mut attempts, mut failures) = (0, 0);
    let outcome = policy.run(|| {
        failures = failures.max(breaker(&names.breaker).failures());
        attempts += 1;
        if attempts <= failing { Err(io::Error::from(io::ErrorKind::ConnectionReset)) } else { Ok(()) }
    });
    let has_opened = breaker(&names.breaker).state() != State::Closed;
    let failures = failures.max(breaker(&names.breaker).failures()) + u32::from(has_opened);
    let tokens = if combination & RATE == 0 { 0 } else { tokens_taken(&clock, &names.bucket) };
    Row { outcome: describe(outcome), attempts, failures, tokens, waits: clock.waits() }
}

/// As every token was taken in its slot, they are as many as intervals are paid for.
fn tokens_taken(clock: &TurnedClock, name: &str) -> u128 {
    match bucket(name).try_acquire(1) {
        Err(TryAcquireError::NotYet { retry_after }) => (clock.elapsed() + retry_after).as_nanos() / INTERVAL.as_nanos(),
        other => panic!("a token was taken, so {other:?} cannot be"),
    }
}

fn policy(combination: usize, bystander: usize, names: &Names) -> Policy {
    let chosen = POLICIES.iter().enumerate().filter(|(bit, _)| combination & (1 << bit) != 0);
    let builder = chosen.fold(Policy::builder().name("call"), |builder, (_, (_, add))| add(builder, names));
    BYSTANDERS[bystander](builder).build().unwrap()
}

fn describe(outcome: io::Result<()>) -> String {
    match outcome {
        Ok(()) => "success".to_owned(),
        Err(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<Rejected>()) {
            Some(Rejected::RateLimited(_)) => "`RateLimited`".to_owned(),
            Some(Rejected::CircuitOpen(_)) => "`CircuitOpen`".to_owned(),
            Some(rejected) => panic!("unexpected: {rejected}"),
            None => "its last error".to_owned(),
        },
    }
}

fn tables() -> String {
    let mut text = include_str!("golden.intro.md").to_owned();
    for combination in 0..1 << POLICIES.len() {
        let named: Vec<_> = (0..POLICIES.len()).filter(|bit| combination & (1 << bit) != 0).map(|bit| POLICIES[bit].0).collect();
        let title = if named.is_empty() { "no policy".to_owned() } else { format!("`{}`", named.join(", ")) };
        writeln!(text, "\n### {title}\n\n| fails | outcome | attempts | failures counted | tokens taken | waits |").unwrap();
        writeln!(text, "|---|---|---|---|---|---|").unwrap();
        for failing in 0..=4 {
            let Row { outcome, attempts, failures, tokens, waits } = call(combination, 0, failing);
            let waits: Vec<_> = waits.iter().map(|wait| format!("{wait:?}")).collect();
            let waits = if waits.is_empty() { "–".to_owned() } else { waits.join(", ") };
            writeln!(text, "| {failing}× | {outcome} | {attempts} | {failures} | {tokens} | {waits} |").unwrap();
        }
    }
    text
}

#[test]
fn the_tables_in_the_docs_are_what_happens() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/golden-tables.md");
    let tables = tables();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &tables).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written == tables, "docs/golden-tables.md is out of date: UPDATE_GOLDEN=1 cargo test --all-features golden");
}

#[test]
fn a_bulkhead_and_a_timeout_change_nothing_while_nobody_else_is_there() {
    for combination in 0..1 << POLICIES.len() {
        for failing in 0..=4 {
            let alone = call(combination, 0, failing);
            for bystander in 1..BYSTANDERS.len() {
                assert_eq!(call(combination, bystander, failing), alone);
            }
        }
    }
}
