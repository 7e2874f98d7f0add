//! The copy in which every mutant that compiles is woven.

use crate::Result;
use crate::mutant::{Genre, Mutant};
use crate::weave::{Place, weave};
use crate::workshop::Workshop;
use crate::world::{Fault, WORLDS};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Which mutants are not in it, and why.
#[derive(Debug, Default)]
pub struct Outside {
    /// They do not compile.
    pub unviable: BTreeSet<u32>,
    /// They may compile in a build of their own.
    pub alone: BTreeSet<u32>,
}

/// Weaves until all worlds compile.
pub fn weave_all(original: &Path, workshop: &Workshop, target: &Path, mutants: &[Mutant], mut outside: Outside) -> Result<Outside> {
    outside.alone.extend(mutants.iter().filter(|mutant| hides_its_type(mutant)).map(|mutant| mutant.number));
    let mut places = write(original, workshop, mutants, &mut outside)?;
    for world in &WORLDS {
        loop {
            let faults = world.check(&workshop.root, target)?;
            if faults.is_empty() {
                break;
            }
            let guilty = blame(&faults, &places)?;
            eprintln!("{}: {} mutants do not compile", world.name, guilty.len());
            for number in guilty {
                let is_certain = mutants[number as usize].genre == Genre::FnValue;
                if is_certain {
                    outside.unviable.insert(number)
                } else {
                    outside.alone.insert(number)
                };
            }
            places = write(original, workshop, mutants, &mut outside)?;
        }
    }
    Ok(outside)
}

/// A second value would have to be of the same type. Of all others, what does not compile as an early return does not as a body.
fn hides_its_type(mutant: &Mutant) -> bool {
    mutant.genre == Genre::FnValue && mutant.returns.contains("impl ")
}

fn write(original: &Path, workshop: &Workshop, mutants: &[Mutant], outside: &mut Outside) -> Result<BTreeMap<String, Vec<Place>>> {
    let mut by_file: BTreeMap<&str, Vec<&Mutant>> = BTreeMap::new();
    for mutant in mutants {
        by_file.entry(&mutant.file).or_default().push(mutant);
    }
    let mut places = BTreeMap::new();
    for (file, mutants) in by_file {
        let inside: Vec<_> = mutants
            .into_iter()
            .filter(|mutant| !outside.unviable.contains(&mutant.number) && !outside.alone.contains(&mutant.number))
            .collect();
        let woven = weave(&fs::read_to_string(original.join(file))?, &inside)?;
        outside.unviable.extend(woven.unviable);
        outside.alone.extend(woven.constant);
        workshop.write(file, woven.text.as_bytes())?;
        places.insert(file.to_owned(), woven.places);
    }
    Ok(places)
}

/// Each fault is put down to the mutants of the smallest place that it touches.
fn blame(faults: &[Fault], places: &BTreeMap<String, Vec<Place>>) -> Result<BTreeSet<u32>> {
    let mut blamed = BTreeSet::new();
    for fault in faults {
        let guilty = fault.places.iter().find_map(|(file, start, end)| {
            let touched = places.get(file)?.iter().filter(|place| place.range.start < *end && *start < place.range.end);
            let holding = touched.clone().filter(|place| place.range.start <= *start && *end <= place.range.end);
            holding.min_by_key(|place| place.range.len()).or_else(|| touched.max_by_key(|place| place.range.len()))
        });
        let guilty = guilty.ok_or_else(|| format!("no mutant's fault: {fault:?}"))?;
        blamed.extend(&guilty.mutants);
    }
    Ok(blamed)
}
