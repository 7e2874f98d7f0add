//! What is told at the end.

use crate::judge::Fate;
use crate::mutant::Mutant;
use std::collections::BTreeMap;
use std::fmt;

/// How many of a file's mutants met which fate.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    generated: u32,
    unviable: u32,
    killed: u32,
    timed_out: u32,
    survived: u32,
    unknown: u32,
}

impl Totals {
    fn count(&mut self, fate: Option<&Fate>) {
        self.generated += 1;
        match fate {
            Some(Fate::Killed(_)) => self.killed += 1,
            Some(Fate::TimedOut(_)) => self.timed_out += 1,
            Some(Fate::Survived | Fate::Unreached) => self.survived += 1,
            Some(Fate::Unviable) => self.unviable += 1,
            Some(Fate::Alone) | None => self.unknown += 1,
        }
    }

    /// Per cent that were noticed, of those that were tried.
    fn share(&self) -> f64 {
        let noticed = self.killed + self.timed_out;
        let tried = noticed + self.survived;
        if tried == 0 { 100.0 } else { f64::from(noticed) * 100.0 / f64::from(tried) }
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self { generated, unviable, killed, timed_out, survived, unknown }, share) = (self, self.share());
        write!(formatter, "{generated:>9} {unviable:>8} {killed:>6} {timed_out:>9} {survived:>8} {unknown:>7} {share:>6.1} %")
    }
}

/// In files of whose delays, rates and transitions nothing may go unnoticed, these sections of the page alone excuse a survivor.
const EXCUSES: [&str; 3] = ["No program differs", "Planted for the models", "Another way to the same end"];
const EXACT: [&str; 13] = [
    "/backoff.rs",
    "/breaker",
    "/bucket",
    "/budget.rs",
    "/bulkhead",
    "/circuit_breaker.rs",
    "/clock.rs",
    "/duration",
    "/engine",
    "/pools.rs",
    "/random.rs",
    "/rate",
    "/window",
];
/// Per cent of those that were tried.
const LEAST: f64 = 95.0;

/// The section of each change that has a row with a reason.
fn explained(page: &str) -> BTreeMap<String, &str> {
    let mut section = "";
    let mut explained = BTreeMap::new();
    for line in page.lines() {
        section = line.strip_prefix("## ").unwrap_or(section);
        if let Some((change, why)) = row(line)
            && why != "the same"
        {
            explained.insert(change.replace("\\|", "|"), section);
        }
    }
    explained
}

fn row(line: &str) -> Option<(&str, &str)> {
    let (change, why) = line.strip_prefix("| `")?.split_once("` | ")?;
    Some((change, why.strip_suffix(" |")?))
}

fn is_excused(mutant: &Mutant, sections: &BTreeMap<String, &str>) -> bool {
    let is_exact = EXACT.iter().any(|file| mutant.file.contains(&format!("/src{file}")));
    sections.get(&mutant.change()).is_some_and(|section| !is_exact || EXCUSES.contains(section))
}

/// Prints who survived and the totals, and returns what must not be.
pub fn print<'m>(fates: impl IntoIterator<Item = (&'m Mutant, Option<Fate>)>, page: &str) -> Result<(), String> {
    let sections = explained(page);
    let mut files: BTreeMap<&str, Totals> = BTreeMap::new();
    let (mut all, mut unexcused) = (Totals::default(), 0);
    println!("\nSurvivors:");
    for (mutant, fate) in fates {
        files.entry(&mutant.file).or_default().count(fate.as_ref());
        all.count(fate.as_ref());
        let remark = match fate {
            Some(Fate::Survived) => "",
            Some(Fate::Unreached) => " (no test comes there)",
            _ => continue,
        };
        let is_excused = is_excused(mutant, &sections);
        unexcused += usize::from(!is_excused);
        println!("  {} {}{remark}", if is_excused { " " } else { "!" }, mutant.name);
    }
    println!("\n{:<52} generated unviable killed timed out survived unknown  killed", "file");
    for (file, totals) in files {
        println!("{file:<52} {totals}");
    }
    println!("{:<52} {all}", "all");
    if unexcused > 0 {
        return Err(format!(
            "{unexcused} survivors have a `!` above: no reason in docs/mutants.md that is good enough for their file"
        ));
    }
    if all.share() < LEAST {
        return Err(format!("{:.1} % are noticed, and {LEAST} % should be", all.share()));
    }
    Ok(())
}
