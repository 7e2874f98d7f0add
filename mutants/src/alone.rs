//! Mutants that need a build of their own: constants, and functions whose type is hidden. Survivors get one too, so that nobody
//! survives because of the weaving.

use crate::Result;
use crate::judge::Fate;
use crate::limited::{Ending, limited};
use crate::mutant::{Genre, Mutant};
use crate::workshop::Workshop;
use crate::world::{Program, WORLDS, World};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// All tests at once, the slow ones too, on a busy machine.
const LIMIT: Duration = Duration::from_mins(20);

/// Builds and tests one mutant in every world until a test notices it.
pub fn alone(mutant: &Mutant, original: &Path, workshop: &Workshop, target: &Path) -> Result<Fate> {
    let text = fs::read_to_string(original.join(&mutant.file))?;
    workshop.write(&mutant.file, changed(mutant, &text).as_bytes())?;
    let fate = tried(workshop, target);
    workshop.write(&mutant.file, text.as_bytes())?;
    Ok(fate)
}

fn tried(workshop: &Workshop, target: &Path) -> Fate {
    for world in &WORLDS {
        for part in [World::units, World::whole] {
            let Ok(programs) = part(world).build(&workshop.root, target) else {
                return Fate::Unviable;
            };
            if let Some(fate) = programs.iter().find_map(fate_in) {
                return fate;
            }
        }
    }
    Fate::Survived
}

fn fate_in(program: &Program) -> Option<Fate> {
    match limited(&mut program.run_all(), LIMIT) {
        Ending::Passed => None,
        Ending::Failed => Some(Fate::Killed(program.name.clone())),
        Ending::TimedOut => Some(Fate::TimedOut(program.name.clone())),
    }
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
