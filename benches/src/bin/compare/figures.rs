//! Everything that was measured of every contender.

use crate::Thoroughness;
use crate::callgrind::{Callgrind, Counts};
use resilient_benches::cases;
use resilient_benches::contender::{Case, Contender, Role};
use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::process::Command;

/// One contender's.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) case: &'static str,
    pub(crate) name: String,
    pub(crate) role: Option<Role>,
    pub(crate) nanos: f64,
    /// Its time over the limit's, and over ours.
    pub(crate) to_limit: f64,
    pub(crate) to_ours: f64,
    pub(crate) counts: Option<Counts>,
    pub(crate) allocations: Option<u64>,
    pub(crate) bytes_a_key: Option<u64>,
}

/// In the order of the cases and their contenders; after ours, the same with the feature `testing` on, which has no role.
#[derive(Debug)]
pub(crate) struct Figures(pub(crate) Vec<Figure>);

#[derive(Clone, Copy, Debug)]
struct Time {
    nanos: f64,
    to_limit: f64,
    to_ours: f64,
}

type Lines<T> = HashMap<(String, String), T>;

/// The programs as they were built one way, and what they measured.
struct Build<'p> {
    programs: &'p Path,
    how: Thoroughness,
    times: Lines<Time>,
    allocations: Lines<u64>,
    callgrind: Callgrind,
}

impl<'p> Build<'p> {
    fn measured(programs: &'p Path, how: Thoroughness, words: &[&str], allocations: Lines<u64>) -> io::Result<Self> {
        Ok(Self { programs, how, times: times(programs, how, words)?, allocations, callgrind: Callgrind::of(programs) })
    }

    /// `None` for a contender whose time was not measured.
    fn figure(&mut self, case: &Case, contender: &Contender) -> io::Result<Option<Figure>> {
        let key = (case.name.to_owned(), contender.name.to_owned());
        let Some(&Time { nanos, to_limit, to_ours }) = self.times.get(&key) else { return Ok(None) };
        let is_own = matches!(contender.role, Role::Ours | Role::Limit);
        let is_counted = case.keys <= MOST_COUNTED_KEYS && (is_own || self.how.counts_peers);
        Ok(Some(Figure {
            case: case.name,
            name: contender.name.to_owned(),
            role: Some(contender.role),
            nanos,
            to_limit,
            to_ours,
            counts: if is_counted { self.callgrind.count(case.name, contender.name)? } else { None },
            allocations: self.allocations.get(&key).copied(),
            bytes_a_key: bytes_a_key(self.programs, case, contender)?,
        }))
    }

    /// The same as a row of its own, beside ours without it.
    fn figure_with_testing(&mut self, case: &Case, contender: &Contender, without: &Figure) -> io::Result<Option<Figure>> {
        let figure = self.figure(case, contender)?;
        Ok(figure.map(|figure| Figure {
            name: format!("{}, feature `testing` on", contender.name),
            role: None,
            to_ours: figure.to_limit / without.to_limit,
            ..figure
        }))
    }
}

/// Valgrind would take minutes to fill more.
const MOST_COUNTED_KEYS: u64 = 1_000;

impl Figures {
    pub(crate) fn measured(programs: &Path, testing: &Path, how: Thoroughness) -> io::Result<Self> {
        let mut build = Build::measured(programs, how, &[], allocations(programs)?)?;
        let mut testing = Build::measured(testing, how, &["own"], Lines::new())?;
        let mut figures = Vec::new();
        for case in cases::all() {
            for contender in &case.contenders {
                let Some(figure) = build.figure(&case, contender)? else { continue };
                let is_ours = contender.role == Role::Ours;
                let with_testing = if is_ours { testing.figure_with_testing(&case, contender, &figure)? } else { None };
                figures.push(figure);
                figures.extend(with_testing);
            }
        }
        Ok(Self(figures))
    }

    pub(crate) fn of(&self, case: &str) -> impl Iterator<Item = &Figure> {
        self.0.iter().filter(move |figure| figure.case == case)
    }

    pub(crate) fn ours(&self, case: &str) -> Option<&Figure> {
        self.of(case).find(|figure| figure.role == Some(Role::Ours))
    }

    pub(crate) fn limit(&self, case: &str) -> Option<&Figure> {
        self.of(case).find(|figure| figure.role == Some(Role::Limit))
    }

    /// The fastest that does the whole work.
    pub(crate) fn best_peer(&self, case: &str) -> Option<&Figure> {
        let peers = self.of(case).filter(|figure| figure.role == Some(Role::Peer));
        peers.min_by(|one, other| one.to_ours.total_cmp(&other.to_ours))
    }
}

fn times(programs: &Path, how: Thoroughness, words: &[&str]) -> io::Result<Lines<Time>> {
    let runs = (0..how.processes).map(|_| times_of_one(programs, how, words));
    let runs: Vec<Lines<Time>> = runs.collect::<io::Result<_>>()?;
    let keys = runs.first().into_iter().flat_map(HashMap::keys);
    let median_of = |key: &(String, String), part: fn(&Time) -> f64| {
        let mut numbers: Vec<f64> = runs.iter().filter_map(|run| run.get(key)).map(part).collect();
        numbers.sort_by(f64::total_cmp);
        numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
    };
    let median = |key: &(String, String)| Time {
        nanos: median_of(key, |time| time.nanos),
        to_limit: median_of(key, |time| time.to_limit),
        to_ours: median_of(key, |time| time.to_ours),
    };
    Ok(keys.map(|key| (key.clone(), median(key))).collect())
}

fn times_of_one(programs: &Path, how: Thoroughness, words: &[&str]) -> io::Result<Lines<Time>> {
    let numbers = [how.rounds.to_string(), how.most_keys.to_string()];
    let arguments: Vec<String> = numbers.into_iter().chain(words.iter().map(|&word| word.to_owned())).collect();
    let parse = |numbers: &[f64]| match *numbers {
        [nanos, to_limit, to_ours] => Some(Time { nanos, to_limit, to_ours }),
        _ => None,
    };
    lines(&programs.join("times"), &arguments, parse)
}

fn allocations(programs: &Path) -> io::Result<Lines<u64>> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small whole number")]
    let parse = |numbers: &[f64]| numbers.first().map(|&count| count as u64);
    lines(&programs.join("allocations"), &[], parse)
}

/// Says nothing for few keys.
fn bytes_a_key(programs: &Path, case: &Case, contender: &Contender) -> io::Result<Option<u64>> {
    if case.keys <= MOST_COUNTED_KEYS {
        return Ok(None);
    }
    let output = Command::new(programs.join("contender")).args([case.name, contender.name, "bytes"]).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().parse().ok())
}

/// A program's lines: case, contender, numbers.
fn lines<T>(program: &Path, arguments: &[String], parse: impl Fn(&[f64]) -> Option<T>) -> io::Result<Lines<T>> {
    let output = Command::new(program).args(arguments).output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("{}: {}", program.display(), String::from_utf8_lossy(&output.stderr))));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let line = |line: &str| {
        let mut fields = line.split('\t');
        let key = (fields.next()?.to_owned(), fields.next()?.to_owned());
        let numbers: Vec<f64> = fields.filter_map(|field| field.parse().ok()).collect();
        Some((key, parse(&numbers)?))
    };
    Ok(text.lines().filter_map(line).collect())
}
