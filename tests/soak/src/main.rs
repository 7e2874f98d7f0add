//! Fifty functions with every policy, called by 200 tasks and 8 threads while everything goes wrong.
//!
//! `cargo run --release --package soak -- --minutes 30` runs so long, in four rounds; after each everything must come to rest. In the
//! first two everything changes: faults, panics, cancellations, settings, files, breakers by hand. In the last two nobody changes
//! settings, and from the third to the fourth memory must be flat: each configuration that is put into force leaves a little behind, by
//! design, and the second round says how much. It ends with 1 and says what was violated, if anything was.

mod arguments;
mod bug;
mod callers;
mod chains;
mod clock;
mod counts;
mod fault;
mod functions;
mod ledger;
mod memory;
mod operators;
mod quiesce;
mod report;
mod rounds;
mod settings;
mod threads;
mod violations;
mod visit;
mod watchdog;

use anyhow::Context as _;
use arguments::{Arguments, USAGE};
use std::process::ExitCode;

fn main() -> anyhow::Result<ExitCode> {
    let Arguments { time, seed, patience, bug } = Arguments::read(std::env::args().skip(1)).context(USAGE)?;
    println!("{} functions for {time:?}, --seed {seed}", functions::all().count());
    if let Some(bug) = bug {
        println!("with a bug of this program's own: {bug:?}");
        bug.seed();
    }
    rounds::play(time, seed, patience)?;
    report::print_counts();
    report::print_violations();
    println!("{}", if violations::is_any() { "something did not hold" } else { "everything held" });
    Ok(if violations::is_any() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
