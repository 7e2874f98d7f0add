//! The golden tables of `docs/golden-tables.md`: what runs, is counted, taken and waited for under each combination of policies.
//!
//! `UPDATE_GOLDEN=1 cargo test --all-features golden` writes the file anew.

use resilient::testing::TurnedClock;
use resilient::{CircuitBreaker, Jitter, Policy, PolicyBuilder, Rate, Rejected, breaker, bucket};
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::time::Duration;

/// The policies that change what the tables show, each with the words of the attribute.
const POLICIES: [(&str, fn(PolicyBuilder, &Names) -> PolicyBuilder); 4] = [
    ("retries = 3", |policy, _| policy.retries(3).jitter(Jitter::None)),
    ("breaker(failure_threshold = 3)", |policy, names| {
        policy.breaker_with(&names.breaker, CircuitBreaker::new().failure_threshold(3))
    }),
    ("rate = 2", |policy, names| policy.rate(names.rate).bucket(&names.bucket)),
    ("deadline = \"650ms\"", |policy, _| policy.deadline(Duration::from_millis(650))),
];

/// Policies that change none of it, as long as nobody else is there.
const BYSTANDERS: [fn(PolicyBuilder) -> PolicyBuilder; 3] =
    [|policy| policy, |policy| policy.concurrency(1), |policy| policy.timeout(Duration::from_secs(9))];

/// Resources of one row, so that rows do not meet.
struct Names {
    breaker: String,
    bucket: String,
    rate: Rate,
}

#[derive(Debug, PartialEq, Eq)]
struct Row {
    outcome: String,
    attempts: u32,
    failures: u32,
    tokens: u32,
    waits: Vec<Duration>,
}

const DAY: Duration = Duration::from_secs(86_400);
const TOKENS: u32 = 20;

/// One call that fails `failing` times, and what it did. Tokens are counted in a bucket that never refills, waits with one that does.
fn call(combination: usize, bystander: usize, failing: u32) -> Row {
    let name = |what: &str| format!("golden {what} {combination} {bystander} {failing}");
    let paced = Names { breaker: name("paced breaker"), bucket: name("paced bucket"), rate: Rate::per_second(2) };
    let counted = Names { breaker: name("breaker"), bucket: name("bucket"), rate: Rate::per(1, DAY).burst(TOKENS) };
    let (_, _, _, waits) = run(combination, bystander, failing, &paced);
    let (outcome, attempts, failures, _) = run(combination, bystander, failing, &counted);
    let left = (0..TOKENS).filter(|_| bucket(&counted.bucket).try_acquire(1).is_ok()).count();
    let has_bucket = combination & 4 != 0;
    let tokens = if has_bucket { TOKENS - u32::try_from(left).unwrap() } else { 0 };
    Row { outcome, attempts, failures, tokens, waits }
}

fn run(combination: usize, bystander: usize, failing: u32, names: &Names) -> (String, u32, u32, Vec<Duration>) {
    let chosen = POLICIES.iter().enumerate().filter(|(bit, _)| combination & (1 << bit) != 0);
    let builder = chosen.fold(Policy::builder().name("call"), |builder, (_, (_, add))| add(builder, names));
    let policy = BYSTANDERS[bystander](builder).build().unwrap();
    let clock = TurnedClock::start();
    let (mut attempts, mut failures) = (0, 0);
    let outcome = policy.run(|| {
        failures = failures.max(breaker(&names.breaker).failures());
        attempts += 1;
        if attempts <= failing { Err(io::Error::from(io::ErrorKind::ConnectionReset)) } else { Ok(()) }
    });
    let trips = u32::from(breaker(&names.breaker).state() != resilient::State::Closed);
    let failures = failures.max(breaker(&names.breaker).failures()) + trips;
    (describe(outcome), attempts, failures, clock.waits())
}

fn describe(outcome: io::Result<()>) -> String {
    match outcome {
        Ok(()) => "success".to_owned(),
        Err(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<Rejected>()) {
            Some(rejected) => format!("refused: {rejected}"),
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
