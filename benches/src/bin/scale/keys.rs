//! A rate for each of so many keys, and what a new key takes when all places are in use.

use crate::{bytes, nanos, said};
use resilient::{Rate, resilient};
use std::hint::black_box;

const ROUNDS: usize = 20;
const CALLS: usize = 50_000;
/// Far beyond the keys that were there.
const NEW: u64 = 1 << 40;

/// Full again at once: whoever has its place may have it.
const IDLE: Rate = Rate::per_second(1_000_000_000).burst(1);
/// Owes something for an hour.
const BUSY: Rate = Rate::per_hour(1).burst(1_000);

macro_rules! functions {
    ($($name:ident $rate:ident $max_keys:literal)*) => {
        $(
            #[inline(never)]
            #[resilient(rate = $rate, key = key, max_keys = $max_keys, max_wait = none)]
            fn $name(key: u64) -> u64 {
                black_box(key)
            }
        )*
    };
}

functions! {
    one IDLE 1
    thousand IDLE 1_000
    hundred_thousand IDLE 100_000
    million IDLE 1_000_000
    busy_one BUSY 1
    busy_thousand BUSY 1_000
    busy_hundred_thousand BUSY 100_000
    busy_million BUSY 1_000_000
}

type Function = fn(u64) -> u64;

struct Case {
    keys: u64,
    idle: Function,
    busy: Function,
    bytes: i64,
    best: [f64; 3],
}

fn functions(keys: u64) -> (Function, Function) {
    match keys {
        1 => (one, busy_one),
        1_000 => (thousand, busy_thousand),
        100_000 => (hundred_thousand, busy_hundred_thousand),
        _ => (million, busy_million),
    }
}

impl Case {
    fn new(keys: u64) -> Self {
        let (idle, busy) = functions(keys);
        let (bytes, _) = bytes(|| (0..keys).for_each(|key| _ = black_box(busy(key))));
        (0..keys).for_each(|key| _ = black_box(idle(key)));
        Self { keys, idle, busy, bytes, best: [f64::MAX; 3] }
    }

    /// An old key, a new one that takes the place of an idle one, a new one that finds none.
    fn round(&mut self, round: usize) {
        let spread = |step: usize| (step as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let new = |step: usize| NEW + (round * CALLS + step) as u64;
        let times = [
            nanos(CALLS, |step| _ = black_box((self.idle)(black_box(spread(step) % self.keys)))),
            nanos(CALLS, |step| _ = black_box((self.idle)(black_box(new(step))))),
            nanos(10, |step| _ = black_box((self.busy)(black_box(new(step))))),
        ];
        // The keys that were there come back in the place of the new ones.
        (0..self.keys.min(2 * CALLS as u64)).for_each(|key| _ = black_box((self.idle)(key)));
        for (best, time) in self.best.iter_mut().zip(times) {
            *best = best.min(time);
        }
    }
}

pub(crate) fn table(keys: &[u64]) {
    let mut cases: Vec<_> = keys.iter().map(|keys| Case::new(*keys)).collect();
    for round in 0..ROUNDS {
        for case in &mut cases {
            case.round(round);
        }
    }
    println!("| keys = `max_keys` | bytes a key | call | ratio | a new key in the place of an idle one | a new key, all in use |");
    println!("|---|---|---|---|---|---|");
    let first = cases.first().map_or(1.0, |case| case.best[0]);
    for Case { keys, bytes, best: [call, new, full], .. } in cases {
        let each = bytes / i64::try_from(keys).unwrap_or(1);
        println!("| {keys} | {each} | {} | {:.2} | {} | {} |", said(call), call / first, said(new), said(full));
    }
}
