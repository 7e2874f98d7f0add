//! Mutants that need a build of their own: constants, and functions whose type is hidden. Survivors get one too, so that nobody
//! survives because of the weaving.

use crate::Result;
use crate::judge::Fate;
use crate::limited::{Ending, limited};
use crate::mutant::{Genre, Mutant};
use crate::reach::is_about;
use crate::workshop::Workshop;
use crate::world::{Program, WORLDS};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long the programs take by name, without any mutant.
pub type Takes = BTreeMap<String, Duration>;

const LIMIT: Duration = Duration::from_mins(10);
const SHORTEST_LIMIT: Duration = Duration::from_secs(30);

/// An error if a test fails in a copy without any mutant, and so says nothing.
pub fn takes(workshop: &Workshop, target: &Path) -> Result<Takes> {
    let mut takes = Takes::new();
    for world in &WORLDS {
        for program in world.build(&workshop.root, target)? {
            let started = Instant::now();
            let ending = limited(&mut program.run_all(), LIMIT);
            if ending != Ending::Passed {
                return Err(format!("{}: {ending:?} without any mutant", program.name).into());
            }
            takes.insert(program.name, started.elapsed());
        }
    }
    Ok(takes)
}

/// Builds and tests one mutant in every world until a test notices it.
pub fn alone(mutant: &Mutant, original: &Path, workshop: &Workshop, target: &Path, takes: &Takes) -> Result<Fate> {
    let text = fs::read_to_string(original.join(&mutant.file))?;
    workshop.write(&mutant.file, changed(mutant, &text).as_bytes())?;
    let fate = tried(mutant, workshop, target, takes);
    workshop.write(&mutant.file, text.as_bytes())?;
    Ok(fate)
}

fn tried(mutant: &Mutant, workshop: &Workshop, target: &Path, takes: &Takes) -> Fate {
    let mut fate = Fate::Unviable;
    for world in &WORLDS {
        let Some(units) = world.units_of(&mutant.file) else { continue };
        for part in [units, world.whole()] {
            let Ok(programs) = part.build(&workshop.root, target) else { break };
            if let Some(noticed) = programs.iter().find_map(|program| fate_in(program, mutant, takes)) {
                return noticed;
            }
            fate = Fate::Survived;
        }
    }
    fate
}

/// Asks the tests first that are about the mutant's file, and asks again when they fail, as a busy machine fails a test now and then.
fn fate_in(program: &Program, mutant: &Mutant, takes: &Takes) -> Option<Fate> {
    let limit = takes.get(&program.name).map_or(LIMIT, |takes| SHORTEST_LIMIT + *takes * 3);
    let tests = program.tests().unwrap_or_default();
    let about: Vec<_> = tests.iter().map(String::as_str).filter(|test| is_about(test, mutant)).collect();
    let first = (!about.is_empty()).then(|| program.run(about));
    first.into_iter().chain([program.run_all()]).find_map(|mut command| match limited(&mut command, limit) {
        Ending::Passed => None,
        Ending::Failed if limited(&mut command, limit) == Ending::Passed => None,
        Ending::Failed => Some(Fate::Killed(program.name.clone())),
        Ending::TimedOut => Some(Fate::TimedOut(program.name.clone())),
    })
}

/// As cargo-mutants would write it.
fn changed(mutant: &Mutant, text: &str) -> String {
    let offset = |(line, column): (usize, usize)| {
        let start = text.split_inclusive('\n').take(line - 1).map(str::len).sum::<usize>();
        start + text[start..].chars().take(column - 1).map(char::len_utf8).sum::<usize>()
    };
    let (before, after) = (&text[..offset(mutant.start)], &text[offset(mutant.end)..]);
    let space = if mutant.genre == Genre::BinaryOperator { " " } else { "" };
    format!("{before}{}{space}{after}", mutant.replacement)
}
