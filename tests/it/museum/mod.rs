//! Bugs that other libraries of our kind have shipped, each with the tests that keep it out of this one.
//!
//! A test is called `bug_NN_` and what must hold. Its documentation says who had the bug, a colon, and in one sentence what happened.
//! `UPDATE_GOLDEN=1 cargo test --all-features museum` writes the table of `docs/museum.md` anew.

mod around;
mod backoff;
mod circuit;
mod circuit_time;
mod half_open;
mod pages;
mod rate;
mod retry;
mod token_waits;
mod waiting;

use crate::support::{Named, ServiceError, poll_once, quiesce};
use resilient::testing::TurnedClock;
use resilient::{Policy, Rate, State};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Barrier, LazyLock, Mutex};
use std::thread;
use std::time::Duration;
use tracing::{Dispatch, Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

type Outcome = Result<(), ServiceError>;
type Body = fn() -> Outcome;

fn good() -> Outcome {
    Ok(())
}

fn bad() -> Outcome {
    Err(ServiceError::Reset)
}

fn neutral() -> Outcome {
    Err(ServiceError::BadQuestion)
}

/// The time that a circuit is open at first if nobody says anything else.
const RECOVERY: Duration = Duration::from_secs(5);

/// Lets the body of a call fail until its circuit is open.
#[track_caller]
fn trip(name: &str, call: impl Fn(Body) -> Outcome) {
    while resilient::breaker(name).state() == State::Closed {
        assert_eq!(call(bad), Err(ServiceError::Reset));
    }
    assert_eq!(resilient::breaker(name).state(), State::Open);
}

/// The same, and lets its recovery time pass.
#[track_caller]
fn half_open(clock: &TurnedClock, name: &str, call: impl Fn(Body) -> Outcome) {
    trip(name, call);
    clock.advance(RECOVERY);
    assert_eq!(resilient::breaker(name).state(), State::HalfOpen);
}

/// What so many threads make of the same instant of a clock.
fn at_once<T: Send>(threads: usize, clock: &TurnedClock, work: impl Fn(usize, &TurnedClock) -> T + Sync) -> Vec<T> {
    let (barrier, clock) = (Barrier::new(threads), clock.handle());
    let work = |thread| {
        let clock = TurnedClock::enter(clock);
        barrier.wait();
        work(thread, &clock)
    };
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn({
                    let work = &work;
                    move || work(thread)
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// The names of what was told of circuits, in order.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<&'static str>>>);

impl Told {
    /// As long as there is only one subscriber, tracing takes any thread's word for it that nobody listens: this is a second one.
    fn dispatch(&self) -> Dispatch {
        static OTHER: LazyLock<Dispatch> = LazyLock::new(|| tracing_subscriber::registry().into());
        LazyLock::force(&OTHER);
        tracing_subscriber::registry().with(self.clone()).into()
    }

    fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl<S: Subscriber> Layer<S> for Told {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().name().starts_with("circuit_") {
            self.0.lock().unwrap().push(event.metadata().name());
        }
    }
}

/// The number of the last bug: each from 1 on has a test.
const LAST: u32 = 69;

/// A test of the museum, as its source tells of it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Exhibit {
    number: u32,
    room: String,
    line: usize,
    function: String,
    references: String,
    sentence: String,
}

/// The rooms that are compiled: a file that nobody declares is not, nor always one that is declared on conditions.
fn rooms(source: &str) -> BTreeSet<&str> {
    let declared = source.lines().zip(std::iter::once("").chain(source.lines())).filter(|(_, before)| !before.starts_with("#["));
    declared.filter_map(|(line, _)| line.strip_prefix("mod ")?.strip_suffix(';')).collect()
}

fn exhibits() -> Vec<Exhibit> {
    let rooms = rooms(include_str!("mod.rs"));
    let museum = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/museum");
    let mut exhibits = Vec::new();
    for file in fs::read_dir(museum).unwrap().map(|file| file.unwrap().path()) {
        let room = file.file_stem().unwrap().to_str().unwrap();
        if file.extension().is_some_and(|extension| extension == "rs") && room != "mod" {
            assert!(rooms.contains(room), "tests/it/museum/mod.rs does not declare `mod {room};`");
            exhibits.extend(exhibits_in(room, &fs::read_to_string(&file).unwrap()));
        }
    }
    exhibits.sort();
    exhibits
}

/// Every test of a room, each of which must be an exhibit and be run.
fn exhibits_in(room: &str, source: &str) -> Vec<Exhibit> {
    let (mut exhibits, mut words, mut is_test) = (Vec::new(), Vec::new(), false);
    for (line, text) in source.lines().enumerate() {
        if let Some(more) = text.strip_prefix("/// ") {
            words.push(more);
        } else if text.starts_with("#[") {
            assert!(!text.contains("ignore"), "tests/it/museum/{room}.rs:{}: who skips a test has no exhibit", line + 1);
            is_test |= text.starts_with("#[test]") || text.starts_with("#[tokio::test");
        } else {
            if std::mem::take(&mut is_test) {
                exhibits.push(exhibit(room, line + 1, text, &words.join(" ")));
            }
            words.clear();
        }
    }
    exhibits
}

fn exhibit(room: &str, line: usize, signature: &str, story: &str) -> Exhibit {
    let place = format!("tests/it/museum/{room}.rs:{line}");
    let name = signature.trim_start_matches("async ").trim_start_matches("fn ").split('(').next().unwrap();
    let number = name.strip_prefix("bug_").and_then(|rest| rest.get(..2)?.parse().ok());
    let number = number.unwrap_or_else(|| panic!("{place}: `bug_NN_` and what must hold, not `{name}`"));
    let story = story.split_once(": ").filter(|(who, what)| !who.is_empty() && what.ends_with('.') && !what.contains('|'));
    let (references, sentence) = story.unwrap_or_else(|| panic!("{place}: `/// who had it: what happened.`"));
    Exhibit {
        number,
        room: room.to_owned(),
        line,
        function: name.to_owned(),
        references: references.to_owned(),
        sentence: sentence.to_owned(),
    }
}

fn table() -> String {
    let mut text = include_str!("intro.md").to_owned();
    for Exhibit { number, room, function, references, sentence, .. } in exhibits() {
        let file = format!("../tests/it/museum/{room}.rs");
        writeln!(text, "| {number} | **{references}**: {sentence} | [`{room}::{function}`]({file}) |").unwrap();
    }
    text
}

#[test]
fn what_is_not_at_rest_does_not_pass_for_it() {
    let clock = TurnedClock::start();
    let is_at_rest = |named: &[Named<'_>]| catch_unwind(AssertUnwindSafe(|| quiesce(&clock, named))).is_ok();
    let policy = Policy::builder().bulkhead("museum, held").concurrency(2).build().unwrap();
    let mut held = Box::pin(policy.run_async(std::future::pending::<Outcome>));
    assert!(poll_once(held.as_mut()).is_pending());
    assert!(!is_at_rest(&[Named::Bulkhead("museum, held")]), "a slot is out");
    drop(held);
    assert!(is_at_rest(&[Named::Bulkhead("museum, held")]));
    resilient::breaker("museum, forced").force_open();
    assert!(!is_at_rest(&[Named::Bulkhead("museum, held"), Named::Breaker("museum, forced")]), "it admits nothing");
    resilient::breaker("museum, forced").reset();
    let rate = Policy::builder().bucket("museum, emptied").rate(Rate::per_day(1)).build().unwrap();
    assert_eq!(rate.run(good), Ok(()));
    assert!(is_at_rest(&[Named::Breaker("museum, forced"), Named::Bucket("museum, emptied")]), "it tells its wait");
}

#[test]
fn every_bug_has_a_test() {
    let shown: BTreeSet<_> = exhibits().iter().map(|exhibit| exhibit.number).collect();
    assert_eq!(shown, (1..=LAST).collect());
}

#[test]
fn the_table_in_the_docs_is_what_the_tests_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/museum.md");
    let table = table();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &table).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap();
    assert!(written == table, "docs/museum.md is out of date: UPDATE_GOLDEN=1 cargo test --all-features museum");
}

#[test]
#[should_panic(expected = "`bug_NN_` and what must hold")]
fn a_test_without_a_number_is_no_exhibit() {
    exhibits_in("room", "/// who: what.\n#[test]\nfn something_else() {\n");
}

#[test]
fn a_room_is_what_is_declared() {
    let source = "//! mod nothing;\nmod one;\n// mod two;\n    mod three;\nmod four {\nmod five;\n#[cfg(unix)]\nmod six;\n";
    assert_eq!(rooms(source), BTreeSet::from(["one", "five"]));
}

#[test]
#[should_panic(expected = "room.rs:3: who skips a test has no exhibit")]
fn a_test_that_is_skipped_is_no_exhibit() {
    exhibits_in("room", "/// who: what.\n#[test]\n#[ignore = \"slow\"]\nfn bug_01_holds() {\n");
}

#[test]
#[should_panic(expected = "has no exhibit")]
fn nor_is_one_that_is_skipped_now_and_then() {
    exhibits_in("room", "/// who: what.\n#[cfg_attr(unix, ignore)]\n#[test]\nfn bug_01_holds() {\n");
}

#[test]
#[should_panic(expected = "who had it: what happened")]
fn a_test_without_a_story_is_no_exhibit() {
    exhibits_in("room", "#[tokio::test(start_paused = true)]\nasync fn bug_01_holds() {\n");
}
