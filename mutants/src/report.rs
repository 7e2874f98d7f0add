//! What is told at the end.

use crate::judge::Fate;
use crate::mutant::Mutant;
use std::collections::{BTreeMap, BTreeSet};
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
}

impl fmt::Display for Totals {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { generated, unviable, killed, timed_out, survived, unknown } = self;
        let noticed = killed + timed_out;
        let tried = noticed + survived;
        let share = if tried == 0 { 100.0 } else { f64::from(noticed) * 100.0 / f64::from(tried) };
        write!(formatter, "{generated:>9} {unviable:>8} {killed:>6} {timed_out:>9} {survived:>8} {unknown:>7} {share:>6.1} %")
    }
}

/// The change that a row of that page is about.
fn explained(line: &str) -> Option<String> {
    let (change, _) = line.strip_prefix("| `")?.split_once('`')?;
    Some(change.replace("\\|", "|"))
}

/// Prints who survived and the totals, and returns how many of the survivors have no reason in that page.
pub fn print<'m>(fates: impl IntoIterator<Item = (&'m Mutant, Option<Fate>)>, page: &str) -> usize {
    let explained: BTreeSet<_> = page.lines().filter_map(explained).collect();
    let mut files: BTreeMap<&str, Totals> = BTreeMap::new();
    let (mut all, mut unexplained) = (Totals::default(), 0);
    println!("\nSurvivors:");
    for (mutant, fate) in fates {
        files.entry(&mutant.file).or_default().count(fate.as_ref());
        all.count(fate.as_ref());
        let remark = match fate {
            Some(Fate::Survived) => "",
            Some(Fate::Unreached) => " (no test comes there)",
            _ => continue,
        };
        let is_explained = explained.contains(&mutant.change());
        unexplained += usize::from(!is_explained);
        println!("  {} {}{remark}", if is_explained { " " } else { "!" }, mutant.name);
    }
    println!("\n{:<52} generated unviable killed timed out survived unknown  killed", "file");
    for (file, totals) in files {
        println!("{file:<52} {totals}");
    }
    println!("{:<52} {all}", "all");
    unexplained
}
