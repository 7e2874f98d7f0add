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
mod summary;
mod told;

use crate::random;
use crate::sync::{seed, seed_of_today, thread, unravel, weave};
use std::any::type_name_of_val;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const MOST: u64 = 100_000;
const TOO_LONG: &str = "take too long for a model";

/// Runs the model in all orders, and fails if these are less than expected.
fn explore(minimum: u64, model: impl Fn() + Send + Sync + 'static) {
    run(minimum, None, model);
}

/// The same in part, where there are too many: loom interrupts threads so often at most in places where they would go on, and shuttle
/// draws lots, as it does for the rest where it does not come to an end.
fn explore_some(minimum: u64, interruptions: usize, model: impl Fn() + Send + Sync + 'static) {
    run(minimum, Some(interruptions), model);
}

fn run<M: Fn() + Send + Sync + 'static>(minimum: u64, interruptions: Option<usize>, model: M) {
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
    told::hear(|| check(interruptions, model));
    let executions = executions.load(Ordering::Relaxed);
    if seed_of_today().is_empty() {
        tell(&format!("{name}: {executions} executions"));
        assert!(executions >= minimum, "{name}: {executions} executions, at least {minimum} expected");
    }
}

#[cfg(interleaved = "loom")]
fn check(interruptions: Option<usize>, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.max_branches = 10_000;
    builder.preemption_bound = interruptions;
    builder.check(model);
}

#[cfg(interleaved = "shuttle")]
fn check(interruptions: Option<usize>, model: impl Fn() + Send + Sync + 'static) {
    use shuttle::scheduler::{DfsScheduler, PctScheduler, RandomScheduler};
    const SEED: u64 = 7;
    const IN_ORDER: usize = 10_000;
    const DRAWN: usize = 2_500;
    let mut config = shuttle::Config::new();
    config.failure_persistence = shuttle::FailurePersistence::None;
    config.silence_warnings = true;
    let model: Arc<dyn Fn() + Send + Sync> = Arc::new(model);
    let again = || {
        let model = Arc::clone(&model);
        move || model()
    };
    if interruptions.is_none()
        && shuttle::Runner::new(DfsScheduler::new(Some(IN_ORDER), false), config.clone()).run(again()) < IN_ORDER
    {
        return;
    }
    shuttle::Runner::new(RandomScheduler::new_from_seed(SEED, DRAWN), config.clone()).run(again());
    shuttle::Runner::new(PctScheduler::new_from_seed(SEED, 3, DRAWN), config).run(again());
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
    let is_too_long = failure.downcast_ref::<String>().is_some_and(|failure| failure.contains(TOO_LONG));
    assert!(!is_too_long, "the model did not come to the seeded bug \"{bug}\"");
    tell(&format!("caught: {bug}"));
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
