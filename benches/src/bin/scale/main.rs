//! What grows with the number of names, of keys and of tasks in line, and what does not: `scripts/scale`.
//!
//! `scale` prints three Markdown tables, `scale quick` smaller ones. Names live as long as a process, so each number of them has a
//! process of its own; those take turns, and the fastest turn of each is printed. Every case of keys is in one process, in turns as
//! well. Bytes are those that were allocated and not freed, by count.

mod keys;
mod names;
mod waiting;

use std::time::{Duration, Instant};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["names", count] => names::serve(count.parse().unwrap_or(1)),
        ["quick"] => all(&[1, 100, 10_000], &[1, 1_000, 100_000], 2_000),
        [] => all(&[1, 100, 10_000, 100_000], &[1, 1_000, 100_000, 1_000_000], 10_000),
        _ => eprintln!("usage: scale [quick]"),
    }
}

fn all(names: &[usize], keys: &[u64], tasks: u32) {
    names::table(names);
    println!();
    keys::table(keys);
    println!();
    waiting::table(tasks);
}

fn per(time: Duration, times: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
    let times = times.max(1) as f64;
    time.as_secs_f64() * 1e9 / times
}

/// Nanoseconds that each of so many takes.
fn nanos(times: usize, mut each: impl FnMut(usize)) -> f64 {
    let start = Instant::now();
    (0..times).for_each(&mut each);
    per(start.elapsed(), times)
}

/// A time as one would say it.
fn said(nanos: f64) -> String {
    match nanos {
        _ if nanos < 1e3 => format!("{nanos:.1} ns"),
        _ if nanos < 1e6 => format!("{:.1} µs", nanos / 1e3),
        _ if nanos < 1e9 => format!("{:.1} ms", nanos / 1e6),
        _ => format!("{:.2} s", nanos / 1e9),
    }
}

/// Bytes that are there afterwards and were not before, and the time it took.
fn bytes(make: impl FnOnce()) -> (i64, Duration) {
    let mut time = Duration::ZERO;
    let counted = allocation_counter::measure(|| {
        let start = Instant::now();
        make();
        time = start.elapsed();
    });
    (counted.bytes_current, time)
}
