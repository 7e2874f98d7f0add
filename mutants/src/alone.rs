//! Mutants that need a build of their own: constants, and functions whose type is hidden. Survivors get one too, so that nobody
//! survives because of the weaving.

use crate::Result;
use crate::judge::Fate;
use crate::limited::{Ending, limited};
use crate::mutant::{Genre, Mutant};
use crate::reach::is_about;
use crate::workshop::Workshop;
use crate::world::{Program, WORLDS};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// All tests at once, the slow ones too, on a busy machine.
const LIMIT: Duration = Duration::from_mins(20);

/// Builds and tests one mutant in every world until a test notices it.
pub fn alone(mutant: &Mutant, original: &Path, workshop: &Workshop, target: &Path) -> Result<Fate> {
    let text = fs::read_to_string(original.join(&mutant.file))?;
    workshop.write(&mutant.file, changed(mutant, &text).as_bytes())?;
    let fate = tried(mutant, workshop, target);
    workshop.write(&mutant.file, text.as_bytes())?;
    Ok(fate)
}

fn tried(mutant: &Mutant, workshop: &Workshop, target: &Path) -> Fate {
    for world in &WORLDS {
        for part in world.units_of(&mutant.file).into_iter().chain([world.whole()]) {
            let Ok(programs) = part.build(&workshop.root, target) else {
                return Fate::Unviable;
            };
            if let Some(fate) = programs.iter().find_map(|program| fate_in(program, mutant)) {
                return fate;
            }
        }
    }
    Fate::Survived
}

/// Asks the tests first that are about the mutant's file.
fn fate_in(program: &Program, mutant: &Mutant) -> Option<Fate> {
    let tests = program.tests().unwrap_or_default();
    let about: Vec<_> = tests.iter().map(String::as_str).filter(|test| is_about(test, mutant)).collect();
    let first = (!about.is_empty()).then(|| program.run(about));
    first.into_iter().chain([program.run_all()]).find_map(|mut command| match limited(&mut command, LIMIT) {
        Ending::Passed => None,
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
