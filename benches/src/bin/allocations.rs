//! Allocations per call of every contender, one line each. A program of its own, because its allocator counts.

use resilient_benches::{cases, configured};

const CALLS: u64 = 1_000;

fn main() {
    if let Err(error) = configured::install() {
        return eprintln!("{error}");
    }
    for case in cases::all().into_iter().filter(|case| case.keys <= 1_000) {
        for contender in &case.contenders {
            let batch = contender.batch();
            let counted = allocation_counter::measure(|| batch(CALLS));
            println!("{}\t{}\t{}", case.name, contender.name, counted.count_total / CALLS);
        }
    }
}
