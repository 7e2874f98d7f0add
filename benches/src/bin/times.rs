//! `times ROUNDS`: nanoseconds per call of every contender, and its ratio to the limit and to ours, one line each.

use resilient_benches::contender::Role;
use resilient_benches::rounds::{Effort, measure};
use resilient_benches::{cases, configured};
use std::time::Duration;

fn main() {
    if let Err(error) = configured::install() {
        return eprintln!("{error}");
    }
    let rounds = std::env::args().nth(1).and_then(|rounds| rounds.parse().ok()).unwrap_or(100);
    for case in cases::all() {
        let turn = Duration::from_micros(300);
        let times = measure(&case, Effort { rounds, turn });
        let place = |role| case.contenders.iter().position(|contender| contender.role == role);
        let (limit, ours) = (place(Role::Limit), place(Role::Ours));
        for (index, contender) in case.contenders.iter().enumerate() {
            let to = |other: Option<usize>| other.map_or(f64::NAN, |other| times.ratio(index, other));
            let nanos = times.nanos(index);
            println!("{}\t{}\t{nanos:.2}\t{:.3}\t{:.3}", case.name, contender.name, to(limit), to(ours));
        }
    }
}
