//! `contender CASE NAME CALLS`: makes a contender's calls, for whoever counts what it executes. `contender CASE NAME bytes`: by how many
//! bytes a key the process grew when each of the case's keys came for the first time; it says little for few keys.

use resilient_benches::contender::{Batch, Case, Contender};
use resilient_benches::{cases, configured};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [case, name, what] = arguments.as_slice() else { return list() };
    if let Err(error) = configured::install() {
        return eprintln!("{error}");
    }
    let Some(case) = cases::all().into_iter().find(|found| found.name == *case) else { return list() };
    let Some(contender) = case.contenders.iter().find(|found| found.name == *name) else { return list() };
    match what.parse() {
        Ok(calls) => counted(&contender.batch(), calls),
        Err(_) => println!("{}", bytes_a_key(&case, contender)),
    }
}

/// What `compare` lets callgrind count: nothing before it, so that neither first calls nor a clock that calibrates itself count.
#[inline(never)]
fn counted(batch: &Batch, calls: u64) {
    batch(calls);
}

fn bytes_a_key(case: &Case, contender: &Contender) -> u64 {
    cases::keyed::prepare();
    let before = resident();
    let _kept = contender.batch();
    resident().saturating_sub(before) / case.keys.max(1)
}

/// Resident memory in bytes, where the system tells.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse().ok()).unwrap_or(0) * 1024
}

fn list() {
    println!("usage: contender CASE NAME CALLS|bytes, with one of");
    for case in cases::all() {
        for contender in case.contenders {
            println!("'{}' '{}'", case.name, contender.name);
        }
    }
    std::process::exit(2);
}
