//! `contender CASE NAME CALLS`: makes a contender's calls, for whoever counts what it executes.

use resilient_benches::contender::Batch;
use resilient_benches::{cases, configured};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [case, name, calls] = arguments.as_slice() else { return list() };
    let Ok(calls) = calls.parse() else { return list() };
    if let Err(error) = configured::install() {
        return eprintln!("{error}");
    }
    let case = cases::all().into_iter().find(|found| found.name == *case);
    let contender = case.and_then(|case| case.contenders.into_iter().find(|found| found.name == *name));
    match contender {
        Some(contender) => counted(&contender.batch(), calls),
        None => list(),
    }
}

/// What `compare` lets callgrind count: nothing before it, so that neither first calls nor a clock that calibrates itself count.
#[inline(never)]
fn counted(batch: &Batch, calls: u64) {
    batch(calls);
}

fn list() {
    println!("usage: contender CASE NAME CALLS, with one of");
    for case in cases::all() {
        for contender in case.contenders {
            println!("'{}' '{}'", case.name, contender.name);
        }
    }
    std::process::exit(2);
}
