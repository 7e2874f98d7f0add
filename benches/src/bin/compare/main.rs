//! `compare [quick] [readme] PROGRAMS TESTING`: what `scripts/compare` runs. `PROGRAMS` is the folder of the other programs of this
//! package, `TESTING` that of the same with the feature `testing` on.

mod callgrind;
mod figures;
mod readme;
mod table;
mod targets;

use figures::Figures;
use std::path::PathBuf;

/// How thorough it is.
#[derive(Clone, Copy, Debug)]
struct Thoroughness {
    /// How many processes measure times, each with its own luck in where things lie in memory.
    processes: usize,
    rounds: usize,
    most_keys: u64,
    counts_peers: bool,
}

const FULL: Thoroughness = Thoroughness { processes: 3, rounds: 100, most_keys: u64::MAX, counts_peers: true };
const QUICK: Thoroughness = Thoroughness { processes: 1, rounds: 10, most_keys: 1_000, counts_peers: false };

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    let folders: Vec<PathBuf> = arguments.iter().filter(|argument| argument.contains('/')).map(PathBuf::from).collect();
    let [programs, testing] = folders.as_slice() else {
        return Err(std::io::Error::other("usage: compare [quick] [readme] PROGRAMS TESTING"));
    };
    let figures = Figures::measured(programs, testing, if has("quick") { QUICK } else { FULL })?;
    let text = format!("{}\n{}", targets::table(&figures), table::table(&figures));
    println!("{text}");
    if has("readme") { readme::write(&targets::table(&figures), &table::table(&figures)) } else { Ok(()) }
}
