//! What is printed.

use crate::chains;
use crate::counts;
use crate::functions::CROWDS;
use crate::violations;

pub(crate) fn print_counts() {
    for (words, number) in counts::all() {
        println!("  {number:>12}  {words}");
    }
    println!("events");
    for (name, number) in chains::events() {
        println!("  {number:>12}  {name}");
    }
    let peaks: Vec<_> = CROWDS.iter().filter_map(|crowds| crowds.iter().max_by_key(|crowd| crowd.peak())).collect();
    let peaks: Vec<_> = peaks.iter().map(|crowd| format!("{} {}", crowd.name(), crowd.peak())).collect();
    println!("most bodies at once: {}", peaks.join("; "));
}

pub(crate) fn print_violations() {
    for violation in violations::all() {
        println!("VIOLATED  {violation}");
    }
}
