//! Which tests reach which mutants.

use crate::Result;
use crate::limited::{Ending, limited};
use crate::mutant::Mutant;
use crate::world::Program;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A test that passes, and how long it takes.
#[derive(Debug)]
pub struct Test {
    pub program: usize,
    pub name: String,
    pub takes: Duration,
    /// How many mutants it reaches: the fewer, the more it says of each.
    reaches: usize,
}

#[derive(Debug, Default)]
pub struct Reach {
    tests: Vec<Test>,
    of: HashMap<u32, Vec<usize>>,
    /// Tests that fail without any mutant, and so say nothing.
    pub broken: Vec<String>,
}

const LONGEST: Duration = Duration::from_mins(2);
/// Such a test is asked when all quicker ones have been, and only if that is wanted.
const SLOW: Duration = Duration::from_secs(3);

impl Reach {
    /// Runs every test by itself and notes what it reaches. What is noted for the same code is not run again. In later worlds only tests
    /// that are about the file of a mutant which nobody has reached are run.
    pub fn find(programs: &[Program], mutants: &[Mutant], folder: &Path, workers: usize) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let mut reach = Self::default();
        for (index, program) in programs.iter().enumerate() {
            let is_lost = |mutant: &&Mutant| program.tests_file(&mutant.file) && !reach.of.contains_key(&mutant.number);
            let lost: Vec<_> = mutants.iter().filter(is_lost).collect();
            let is_wanted = |test: &str| program.world == 0 || lost.iter().any(|mutant| is_about(test, mutant));
            let tests: Vec<_> = program.tests()?.into_iter().filter(|test| is_wanted(test)).collect();
            let noted = folder.join(format!("{}.json", program.name));
            let mut traces: BTreeMap<String, Trace> =
                fs::read(&noted).ok().and_then(|noted| serde_json::from_slice(&noted).ok()).unwrap_or_default();
            let new: Vec<_> = tests.iter().filter(|test| !traces.contains_key(*test)).cloned().collect();
            traces.extend(trace_all(program, &new, folder, workers));
            fs::write(&noted, serde_json::to_vec(&traces)?)?;
            for test in tests {
                let trace = traces.remove(&test).flatten();
                reach.add(index, program, test, trace);
            }
        }
        Ok(reach)
    }

    fn add(&mut self, program: usize, of: &Program, name: String, trace: Trace) {
        let Some((takes, mutants)) = trace else {
            self.broken.push(format!("{name} ({})", of.name));
            return;
        };
        for mutant in &mutants {
            self.of.entry(*mutant).or_default().push(self.tests.len());
        }
        self.tests.push(Test { program, name, takes: Duration::from_millis(takes), reaches: mutants.len() });
    }

    pub fn len(&self) -> usize {
        self.tests.len()
    }

    /// The tests that reach it, those first that have most to say.
    pub fn tests_of(&self, mutant: &Mutant, with_slow: bool) -> Vec<&Test> {
        let reaching = self.of.get(&mutant.number).into_iter().flatten();
        let mut tests: Vec<_> = reaching.map(|&test| &self.tests[test]).filter(|test| with_slow || test.takes <= SLOW).collect();
        tests.sort_by_key(|test| (test.takes > SLOW, !is_about(&test.name, mutant), test.program, test.reaches));
        tests
    }
}

/// Whether the test is in a module that has the name of the mutant's file or of a folder that it is in.
pub fn is_about(test: &str, mutant: &Mutant) -> bool {
    let path = mutant.file.split_once("/src/").map_or("", |(_, path)| path.trim_end_matches(".rs"));
    test.split_once("::").is_some_and(|(module, _)| path.split('/').any(|part| part == module))
}

/// Milliseconds, and the mutants that were reached; nothing if the test fails.
type Trace = Option<(u64, Vec<u32>)>;

fn trace_all(program: &Program, tests: &[String], folder: &Path, workers: usize) -> BTreeMap<String, Trace> {
    let (next, traces) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let (next, traces) = (&next, &traces);
            scope.spawn(move || {
                while let Some(name) = tests.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let trace = trace(program, name, &folder.join(worker.to_string()));
                    traces.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), trace);
                }
            });
        }
    });
    traces.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn trace(program: &Program, test: &str, file: &Path) -> Trace {
    let _ = fs::remove_file(file);
    let started = Instant::now();
    let ending = limited(program.run([test]).env("MUTANTS_REACHED", file), LONGEST);
    let takes = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let mutants = fs::read(file).unwrap_or_default();
    let mutants = mutants.chunks_exact(4).map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])).collect();
    (ending == Ending::Passed).then_some((takes, mutants))
}
