//! Mutation testing of both crates: every mutant that cargo-mutants lists is built into one copy of the repository, behind a question
//! whether it is on, so that one build serves them all and each costs only the tests that reach it.

mod alone;
mod judge;
mod limited;
mod mutant;
mod reach;
mod report;
mod results;
mod weave;
mod workshop;
mod world;
mod woven;

use judge::Fate;
use mutant::Mutant;
use reach::Reach;
use results::Results;
use std::collections::BTreeSet;
use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use workshop::Workshop;
use world::Program;
use woven::Outside;

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

const WORKERS: usize = 3;

fn main() -> Result<()> {
    let root = std::env::current_dir()?;
    let own = root.join("target/mutants");
    let (options, wanted): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let has = |wanted: &str| options.iter().any(|option| option == wanted);
    let mutants = mutant::all(&root)?;
    let mut results = Results::read(own.join("results.json"), &root, &mutants)?;
    let (woven, target, built) = (own.join("woven"), own.join("build"), own.join("programs.json"));
    let sequence = mutant::sequence(&mutants);
    let programs = if has("--as-built") {
        world::as_built(&built, sequence)?
    } else {
        let workshop = Workshop::copy(&root, woven)?;
        workshop.connect(&root.join("mutants/switch"))?;
        let outside = woven::weave_all(&root, &workshop, &target, &mutants, known_outside(&mutants, &results))?;
        note_outside(&outside, &mutants, &mut results)?;
        world::build_all(&workshop.root, &target, &built, sequence)?
    };
    let started = Instant::now();
    let noted = own.join(format!("reached/{sequence:x}"));
    let reach = Reach::find(&programs, &mutants, &noted, WORKERS)?;
    println!("{} tests of {} programs, {:.0} s", reach.len(), programs.len(), started.elapsed().as_secs_f64());
    reach.broken.iter().for_each(|test| println!("  fails without any mutant: {test}"));
    let is_wanted = |mutant: &&Mutant| wanted.is_empty() || wanted.iter().any(|file| mutant.file.ends_with(file.as_str()));
    let open: Vec<&Mutant> = mutants
        .iter()
        .filter(is_wanted)
        .filter(|mutant| results.settled(mutant).is_none() && !results.is_outside(mutant))
        .collect();
    let mut results = judge_all(&open, &reach, &programs, results, has("--slow"))?;
    if has("--alone") {
        let plain = Workshop::copy(&root, own.join("plain"))?;
        let takes = alone::takes(&plain, &target)?;
        let mut open: Vec<&Mutant> = mutants
            .iter()
            .filter(is_wanted)
            .filter(|mutant| results.settled(mutant).is_none() && !results.was_alone(mutant))
            .collect();
        open.sort_by_key(|mutant| !results.is_outside(mutant));
        for mutant in open {
            let fate = alone::alone(mutant, &root, &plain, &target, &takes)?;
            println!("alone: {fate:?}: {}", mutant.name);
            results.note_alone(mutant, &fate);
            results.write()?;
        }
    }
    let page = std::fs::read_to_string(root.join("docs/mutants.md"))?;
    Ok(report::print(mutants.iter().filter(is_wanted).map(|mutant| (mutant, results.fate(mutant))), &page)?)
}

fn known_outside(mutants: &[Mutant], results: &Results) -> Outside {
    let (mut unviable, mut alone) = (BTreeSet::new(), BTreeSet::new());
    for mutant in mutants {
        match results.fate(mutant) {
            Some(Fate::Unviable) => unviable.insert(mutant.number),
            Some(_) if results.is_outside(mutant) => alone.insert(mutant.number),
            _ => false,
        };
    }
    Outside { unviable, alone }
}

fn note_outside(outside: &Outside, mutants: &[Mutant], results: &mut Results) -> Result<()> {
    for number in &outside.unviable {
        results.note(&mutants[*number as usize], &Fate::Unviable);
    }
    for number in &outside.alone {
        let mutant = &mutants[*number as usize];
        if !results.is_outside(mutant) {
            results.note_outside(mutant);
        }
    }
    results.write()
}

fn judge_all(open: &[&Mutant], reach: &Reach, programs: &[Program], results: Results, with_slow: bool) -> Result<Results> {
    let (next, results, started) = (AtomicUsize::new(0), Mutex::new(results), Instant::now());
    println!("{} mutants to try", open.len());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(mutant) = open.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let fate = judge::judge(mutant, reach, programs, with_slow);
                    if !matches!(fate, Fate::Killed(_)) {
                        println!("{:6.0} s  {fate:?}: {}", started.elapsed().as_secs_f64(), mutant.name);
                    }
                    let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                    results.note(mutant, &fate);
                    if let Err(error) = results.write() {
                        println!("{error}");
                    }
                }
            });
        }
    });
    println!("{:.0} s", started.elapsed().as_secs_f64());
    results.into_inner().map_err(|_| "a thread has panicked".into())
}
