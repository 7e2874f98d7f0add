//! Models: what threads may do to a shared word in every order, under loom, which knows weak memory, and under shuttle, which copes
//! with more threads. `scripts/interleavings` runs them; each is written once, for both.
//!
//! A model runs the crate's own code. It counts its executions, as a model checker that finds nothing to vary reports success too,
//! and must fail when a bug is planted in that code: where it says `if seeded!("…")`.

mod breaker;
mod bucket;
mod budget;
mod bulkhead;
mod keyed;
mod last_known;
mod latest;
mod registry;
#[cfg(interleaved = "shuttle")]
mod schedules;
mod summary;
mod told;

use crate::random;
use crate::sync::{seed, seed_of_today, thread, unravel, weave};
use std::any::type_name_of_val;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const MOST: u64 = 150_000;
const TOO_LONG: &str = "take too long for a model";
/// How models fail that say nothing of the crate: they are too large, or loom's threads too many.
const NO_FINDINGS: [&str; 5] = [
    TOO_LONG,
    "Model exceeded maximum number of branches",
    "self.threads.len() < self.max()",
    "exceeded max_steps bound",
    "shared words",
];

/// How many of the orders a model is run in.
#[derive(Clone, Copy)]
enum Extent {
    /// All of them under shuttle, too, or the model fails.
    #[cfg(interleaved = "shuttle")]
    Whole,
    /// All of them under loom. Shuttle, which has far more, draws lots for the rest where it does not come to an end.
    Long,
    /// Loom interrupts threads so often at most in places where they would go on, and shuttle draws lots.
    Part(usize),
}

/// Runs the model in all orders, and fails if these are less than expected.
fn explore(minimum: u64, model: impl Fn() + Send + Sync + 'static) {
    run(minimum, Extent::Long, model);
}

/// The same in part, where there are too many. Of what shuttle draws only orders that differ are counted.
fn explore_some(minimum: u64, interruptions: usize, model: impl Fn() + Send + Sync + 'static) {
    run(minimum, Extent::Part(interruptions), model);
}

/// All orders, without lots: only for the smallest, of which loom needs no such promise.
#[cfg(interleaved = "shuttle")]
fn explore_whole(minimum: u64, model: impl Fn() + Send + Sync + 'static) {
    run(minimum, Extent::Whole, model);
}

fn run<M: Fn() + Send + Sync + 'static>(minimum: u64, extent: Extent, model: M) {
    let _end = End;
    let name = type_name_of_val(&model).trim_end_matches("::{{closure}}").trim_start_matches("resilient_runtime::interleavings::");
    let executions = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&executions);
    let model = move || {
        let number = count.fetch_add(1, Ordering::Relaxed);
        assert!(number < MOST, "{MOST} executions {TOO_LONG}");
        weave();
        random::start_from(Some(7));
        told::forget();
        model();
        unravel();
    };
    let different = told::hear(|| check(extent, model));
    let executions = executions.load(Ordering::Relaxed);
    if seed_of_today().is_empty() {
        let different = different.unwrap_or(executions);
        tell(&format!("{name}: {executions} executions, {different} different"));
        assert!(different >= minimum, "{name}: {different} different executions, at least {minimum} expected");
    }
}

/// Loom runs no two that are the same.
#[cfg(interleaved = "loom")]
fn check(extent: Extent, model: impl Fn() + Send + Sync + 'static) -> Option<u64> {
    let mut builder = loom::model::Builder::new();
    builder.max_branches = 10_000;
    builder.preemption_bound = if let Extent::Part(interruptions) = extent { Some(interruptions) } else { None };
    builder.check(model);
    None
}

/// How many that differ.
#[cfg(interleaved = "shuttle")]
fn check(extent: Extent, model: impl Fn() + Send + Sync + 'static) -> Option<u64> {
    use shuttle::scheduler::{DfsScheduler, PctScheduler, RandomScheduler};
    const SEED: u64 = 7;
    const IN_ORDER: usize = 10_000;
    const DRAWN: usize = 2_500;
    let seen = schedules::Seen::default();
    let mut config = shuttle::Config::new();
    config.failure_persistence = shuttle::FailurePersistence::None;
    config.silence_warnings = true;
    let model: Arc<dyn Fn() + Send + Sync> = Arc::new(model);
    let again = || {
        let model = Arc::clone(&model);
        move || model()
    };
    let most = match extent {
        Extent::Whole => None,
        Extent::Long => Some(IN_ORDER),
        Extent::Part(_interruptions) => Some(0),
    };
    let in_order = shuttle::Runner::new(seen.those_of(DfsScheduler::new(most, false)), config.clone()).run(again());
    if most.is_some_and(|most| in_order == most) {
        shuttle::Runner::new(seen.those_of(RandomScheduler::new_from_seed(SEED, DRAWN)), config.clone()).run(again());
        shuttle::Runner::new(seen.those_of(PctScheduler::new_from_seed(SEED, 3, DRAWN)), config).run(again());
    }
    Some(seen.count())
}

/// Nothing is left of a model, however it ends.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        unravel();
        random::start_from(None);
    }
}

/// Fails unless the model does when that bug is planted.
fn assert_caught(bug: &'static str, model: impl FnOnce()) {
    seed(bug);
    let outcome = catch_unwind(AssertUnwindSafe(model));
    seed("");
    let Err(failure) = outcome else { panic!("the seeded bug \"{bug}\" was not caught") };
    let words = failure.downcast_ref::<String>().map(String::as_str).or_else(|| failure.downcast_ref::<&str>().copied());
    let words = words.unwrap_or_else(|| panic!("nobody knows what became of the seeded bug \"{bug}\""));
    let is_finding = !NO_FINDINGS.iter().any(|no_finding| words.contains(no_finding));
    assert!(is_finding, "the model did not come to the seeded bug \"{bug}\": {words}");
    tell(&format!("caught: {bug}"));
    tell(&format!("as it says: {}", words.lines().next().unwrap_or_default()));
}

/// Past the test harness, which shows what tests print only when they fail.
fn tell(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A thread of the model. Neither it nor its steps need `yield_now`: each use of a shared word is a turn.
fn beside<R: Send + 'static>(steps: impl FnOnce() -> R + Send + 'static) -> thread::JoinHandle<R> {
    thread::spawn(steps)
}

/// What a thread of the model came to.
fn end<R>(thread: thread::JoinHandle<R>) -> R {
    thread.join().unwrap_or_else(|_| panic!("a thread of the model panicked"))
}

/// Loom has an end for branches, shuttle one for steps.
#[test]
#[should_panic(expected = "did not come to the seeded bug")]
fn a_model_that_is_too_large_has_caught_nothing() {
    assert_caught("none", || {
        explore(0, || {
            let word = Arc::new(crate::sync::AtomicU64::new(0));
            let other = Arc::clone(&word);
            let looking = beside(move || (0..2_000_000).map(|_| other.load(Ordering::Relaxed)).max());
            word.swap(1, Ordering::Relaxed);
            end(looking);
        });
    });
}
