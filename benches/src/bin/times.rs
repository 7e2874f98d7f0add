//! `times ROUNDS [MOST_KEYS [own]]`: nanoseconds per call of every contender, and its ratio to the limit and to ours, one line each; with
//! `own`, of no other crate.

use resilient_benches::contender::{Case, Role};
use resilient_benches::rounds::{Effort, measure};
use resilient_benches::{cases, configured};
use std::time::Duration;

/// A round of many keys is long enough to forget what the contenders before it left in the caches.
const TURN: Duration = Duration::from_micros(300);
const TURN_OF_MANY_KEYS: Duration = Duration::from_millis(3);

fn main() {
    if let Err(error) = configured::install() {
        return eprintln!("{error}");
    }
    let mut arguments = std::env::args().skip(1).filter_map(|argument| argument.parse().ok());
    let rounds = arguments.next().unwrap_or(100);
    let most_keys = arguments.next().unwrap_or(usize::MAX) as u64;
    let has_peers = std::env::args().all(|argument| argument != "own");
    for mut case in cases::all().into_iter().filter(|case| case.keys <= most_keys) {
        case.contenders.retain(|contender| has_peers || !matches!(contender.role, Role::Peer | Role::Partial));
        print(&case, Effort { rounds, turn: if case.keys > 100_000 { TURN_OF_MANY_KEYS } else { TURN } });
    }
}

fn print(case: &Case, effort: Effort) {
    let times = measure(case, effort);
    let place = |role| case.contenders.iter().position(|contender| contender.role == role);
    let (limit, ours) = (place(Role::Limit), place(Role::Ours));
    for (index, contender) in case.contenders.iter().enumerate() {
        let to = |other: Option<usize>| other.map_or(f64::NAN, |other| times.ratio(index, other));
        let nanos = times.nanos(index);
        println!("{}\t{}\t{nanos:.2}\t{:.4}\t{:.4}", case.name, contender.name, to(limit), to(ours));
    }
}
