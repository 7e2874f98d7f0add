//! A rate for each key, ours and governor's, in one program and one run.
//!
//! `cargo run --release --package resilient-benches --bin keyed`; with a `quick` behind it, a tenth of the calls.
//!
//! For each number of keys, keys are asked in an order that no cache foresees, each call finding a token at once. Ours is a whole
//! guarded call (`rate`, `key`): the key is hashed and found, its slot pinned, the plan made, the token taken, the body run, the slot
//! released. Governor's is `check_key` and the same body. Each is measured five times in turns, and the fastest of each is printed,
//! in nanoseconds a call; `ratio` is ours over governor's. `bytes a key` is what the process's resident memory grew by while the
//! keys came for the first time, over their number; it says little for few keys. The clock is the real one for both.

use governor::{DefaultKeyedRateLimiter, Quota};
use resilient::{Rate, resilient};
use std::hint::black_box;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

/// No key waits in any run, and none is idle for so long that it would be forgotten.
const RATE: Rate = Rate::per_minute(1_000).burst(1_000_000).max_keys(2_000_000);
const MANY: u32 = 2_000_000;
const ROUNDS: usize = 5;

macro_rules! ours {
    ($name:ident) => {
        #[inline(never)]
        #[resilient(rate = RATE, key = key, max_keys = MANY, max_wait = none)]
        fn $name(key: u64) -> u64 {
            black_box(key)
        }
    };
}

ours!(one_key);
ours!(thousand_keys);
ours!(million_keys);

#[inline(never)]
fn theirs(limiter: &DefaultKeyedRateLimiter<u64>, key: u64) -> u64 {
    assert!(limiter.check_key(&key).is_ok(), "governor refused");
    black_box(key)
}

/// Every key once in `keys` steps, far from its neighbours.
fn key(step: u64, keys: u64) -> u64 {
    step.wrapping_mul(0x9E37_79B9_7F4A_7C15) % keys
}

fn nanos_per_call(calls: u64, keys: u64, call: impl Fn(u64) -> u64) -> f64 {
    let start = Instant::now();
    for step in 0..calls {
        black_box(call(black_box(key(step, keys))));
    }
    per(start.elapsed(), calls)
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

/// Bytes a key, when `keys` of them come for the first time.
fn growth(keys: u64, call: impl Fn(u64) -> u64) -> u64 {
    let before = resident();
    for key in 0..keys {
        black_box(call(key));
    }
    resident().saturating_sub(before) / keys
}

fn compare(keys: u64, calls: u64, ours: fn(u64) -> u64) {
    let quota = Quota::per_minute(NonZeroU32::new(1_000).unwrap_or(NonZeroU32::MIN));
    let limiter = DefaultKeyedRateLimiter::keyed(quota.allow_burst(NonZeroU32::new(1_000_000).unwrap_or(NonZeroU32::MIN)));
    let governor = |key| theirs(&limiter, key);
    let (our_bytes, their_bytes) = (growth(keys, ours), growth(keys, governor));
    let (mut our_time, mut their_time) = (f64::MAX, f64::MAX);
    for _ in 0..ROUNDS {
        our_time = our_time.min(nanos_per_call(calls, keys, ours));
        their_time = their_time.min(nanos_per_call(calls, keys, governor));
    }
    let ratio = our_time / their_time;
    println!("{keys:>9} {our_time:>8.1} {their_time:>9.1} {ratio:>6.2} {our_bytes:>12} {their_bytes:>10}");
}

fn main() {
    let calls = if std::env::args().any(|argument| argument == "quick") { 100_000 } else { 1_000_000 };
    println!("{:>9} {:>8} {:>9} {:>6} {:>12} {:>10}", "keys", "ours", "governor", "ratio", "bytes a key", "governor");
    compare(1, calls / 20, one_key);
    compare(1_000, calls, thousand_keys);
    compare(1_000_000, calls, million_keys);
}
