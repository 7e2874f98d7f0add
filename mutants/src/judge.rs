//! Whether the tests that reach a mutant notice it.

use crate::limited::{Ending, limited};
use crate::mutant::Mutant;
use crate::reach::{Reach, Test};
use crate::world::Program;
use std::time::Duration;

/// What became of a mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// By one of these tests, the first of which is named.
    Killed(String),
    /// The tests did not end.
    TimedOut(String),
    Survived,
    /// No test comes there.
    Unreached,
    /// It does not compile.
    Unviable,
    /// It needs a build of its own.
    Alone,
}

const SHORTEST_LIMIT: Duration = Duration::from_secs(8);

/// Runs the tests that have most to say alone, and then more and more of them together, in the first world that has any.
pub fn judge(mutant: &Mutant, reach: &Reach, programs: &[Program], with_slow: bool) -> Fate {
    let mut tests = reach.tests_of(mutant, with_slow);
    let Some(world) = tests.iter().map(|test| programs[test.program].world).min() else { return Fate::Unreached };
    tests.retain(|test| programs[test.program].world == world);
    for together in tests.chunk_by(|left, right| left.program == right.program) {
        for batch in batches(together) {
            let program = &programs[batch[0].program];
            let limit = SHORTEST_LIMIT + batch.iter().map(|test| test.takes).sum::<Duration>() * 3;
            let run = || {
                let mut command = program.run(batch.iter().map(|test| test.name.as_str()));
                limited(command.env("MUTANT", mutant.number.to_string()), limit)
            };
            let by = || format!("{} ({})", batch[0].name, program.name);
            match run() {
                Ending::Passed => {}
                // Asked again, as a busy machine fails a test now and then.
                Ending::Failed if run() == Ending::Passed => {}
                Ending::Failed => return Fate::Killed(by()),
                Ending::TimedOut => return Fate::TimedOut(by()),
            }
        }
    }
    Fate::Survived
}

fn batches<'b, 't>(mut tests: &'b [&'t Test]) -> impl Iterator<Item = &'b [&'t Test]> {
    let mut size = 3;
    std::iter::from_fn(move || {
        let (batch, rest) = tests.split_at(size.min(tests.len()));
        size *= 5;
        tests = rest;
        (!batch.is_empty()).then_some(batch)
    })
}
