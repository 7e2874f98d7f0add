//! A rate for each key, ours and governor's, in one program and one run.
//!
//! `cargo run --release --package resilient-benches --bin keyed`; with a `quick` behind it, a fifth of the rounds.
//!
//! For each number of keys, keys are asked in an order that no cache foresees, each call finding a token at once. Ours is a whole
//! guarded call (`rate`, `key`), governor's is `check_key` and the same body, each as its users write it. They are measured in turns,
//! in many short rounds: `ours` and `governor` are the fastest round of each in nanoseconds a call, `ratio` is ours over governor's,
//! and `median` the median of the rounds' ratios, each of two neighbours. With two threads a call's time is that of a thread.
//! `bytes a key` is what the process's resident memory grew by while the keys came for the first time, over their number; it says
//! little for few keys. The clock is the real one for both.

use governor::{DefaultKeyedRateLimiter, Quota};
use resilient::{Rate, resilient};
use std::hash::Hash;
use std::hint::black_box;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

/// No key waits in any run, and none is idle for so long that it would be forgotten.
const RATE: Rate = Rate::per_minute(1_000).burst(100_000_000).max_keys(2_000_000);
const MANY: u32 = 2_000_000;
const CALLS: u64 = 50_000;

macro_rules! ours {
    ($($number:ident $text:ident)*) => {$(
        #[inline(never)]
        #[resilient(rate = RATE, key = key, max_keys = MANY, max_wait = none)]
        fn $number(key: u64) -> u64 {
            black_box(key)
        }

        #[inline(never)]
        #[resilient(rate = RATE, key = key, max_keys = MANY, max_wait = none)]
        fn $text(key: &str) -> usize {
            black_box(key.len())
        }
    )*};
}

ours!(one_number one_text thousand_numbers thousand_texts million_numbers million_texts);

#[inline(never)]
fn theirs<K: Hash + Eq + Clone>(limiter: &DefaultKeyedRateLimiter<K>, key: &K) {
    assert!(limiter.check_key(key).is_ok(), "governor refused");
    black_box(key);
}

/// Every place once in `keys` steps, far from its neighbours.
fn place(step: u64, keys: usize) -> usize {
    usize::try_from(step.wrapping_mul(0x9E37_79B9_7F4A_7C15) % keys as u64).unwrap_or(0)
}

/// Nanoseconds of a call, in so many threads at once.
fn time(threads: u64, first: u64, keys: usize, call: impl Fn(usize) + Sync) -> f64 {
    let run = |thread: u64| {
        let start = Instant::now();
        for step in first..first + CALLS {
            call(black_box(place(step + thread * 7_919, keys)));
        }
        start.elapsed()
    };
    if threads == 1 {
        return per(run(0), CALLS);
    }
    let times: Vec<Duration> = std::thread::scope(|scope| {
        let run = &run;
        let handles: Vec<_> = (0..threads).map(|thread| scope.spawn(move || run(thread))).collect();
        handles.into_iter().filter_map(|handle| handle.join().ok()).collect()
    });
    per(times.into_iter().max().unwrap_or_default(), CALLS)
}

fn per(time: Duration, calls: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far fewer calls than 2^52")]
    let calls = calls as f64;
    time.as_secs_f64() * 1e9 / calls
}

/// Resident memory in bytes, where the system tells.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse().ok()).unwrap_or(0) * 1024
}

/// Bytes a key, when all of them come for the first time.
fn growth(keys: usize, call: impl Fn(usize)) -> u64 {
    let before = resident();
    (0..keys).for_each(call);
    resident().saturating_sub(before) / keys as u64
}

fn limiter<K: Hash + Eq + Clone>() -> DefaultKeyedRateLimiter<K> {
    let quota = Quota::per_minute(NonZeroU32::new(1_000).unwrap_or(NonZeroU32::MIN));
    DefaultKeyedRateLimiter::keyed(quota.allow_burst(NonZeroU32::new(100_000_000).unwrap_or(NonZeroU32::MIN)))
}

fn compare(what: &str, rounds: u64, keys: usize, ours: impl Fn(usize) + Sync, theirs: impl Fn(usize) + Sync) {
    let (our_bytes, their_bytes) = (growth(keys, &ours), growth(keys, &theirs));
    for threads in [1, 2] {
        let (mut our_time, mut their_time, mut ratios) = (f64::MAX, f64::MAX, Vec::new());
        for round in 0..rounds {
            let first = round * CALLS;
            let pair = (time(threads, first, keys, &ours), time(threads, first, keys, &theirs));
            (our_time, their_time) = (our_time.min(pair.0), their_time.min(pair.1));
            ratios.push(pair.0 / pair.1);
        }
        ratios.sort_by(f64::total_cmp);
        let (ratio, median) = (our_time / their_time, ratios[ratios.len() / 2]);
        print!("{what:>6} {keys:>8} {threads:>7} {our_time:>8.1} {their_time:>8.1} {ratio:>6.2} {median:>6.2}");
        println!(" {our_bytes:>11} {their_bytes:>8}");
    }
}

fn compare_numbers(rounds: u64, keys: usize, ours: fn(u64) -> u64) {
    let limiter = limiter();
    let key = |place: usize| place as u64;
    let call = |place| _ = black_box(ours(key(place)));
    compare("u64", rounds, keys, call, |place| theirs(&limiter, &key(place)));
}

fn compare_texts(rounds: u64, keys: &[String], ours: fn(&str) -> usize) {
    let limiter = limiter();
    let call = |place: usize| _ = black_box(ours(&keys[place]));
    compare("String", rounds, keys.len(), call, |place| theirs(&limiter, &keys[place]));
}

fn main() {
    let rounds = if std::env::args().any(|argument| argument == "quick") { 9 } else { 45 };
    println!("  keys    count threads     ours governor  ratio median bytes a key governor");
    compare_numbers(rounds, 1, one_number);
    compare_numbers(rounds, 1_000, thousand_numbers);
    compare_numbers(rounds, 1_000_000, million_numbers);
    let texts: Vec<String> = (0..1_000_000).map(|number| format!("tenant {number}")).collect();
    compare_texts(rounds, &texts[..1], one_text);
    compare_texts(rounds, &texts[..1_000], thousand_texts);
    compare_texts(rounds, &texts, million_texts);
}
