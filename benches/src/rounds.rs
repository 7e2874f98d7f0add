//! Times of a case's contenders, taken in turns.
//!
//! Neither criterion nor divan can do this: they measure one function to its end and then the next, and what else runs on the machine
//! falls on one of them. Here every contender runs a few hundred microseconds in each of many short rounds, whose order is turned, and
//! a ratio is the median of the rounds' own ratios: noise that lasts longer than a round hits both sides of it.

use crate::contender::{Batch, Case, Contender};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How much time is spent.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// How many rounds a case has.
    pub rounds: usize,
    /// About how long a contender runs in each of them.
    pub turn: Duration,
}

/// Nanoseconds per call: one number for each round, for each contender.
#[derive(Debug)]
pub struct Times(Vec<Vec<f64>>);

/// Runs all contenders of a case in turns.
#[must_use]
pub fn measure(case: &Case, effort: Effort) -> Times {
    let batches: Vec<Batch> = case.contenders.iter().map(Contender::batch).collect();
    let calls: Vec<u64> = batches.iter().map(|batch| calls_of_a_turn(batch, case.threads, effort.turn)).collect();
    let mut times = vec![Vec::with_capacity(effort.rounds); batches.len()];
    for round in 0..effort.rounds {
        for place in 0..batches.len() {
            let turn = (round + place) % batches.len();
            times[turn].push(steady_nanos_per_call(&batches[turn], case.threads, calls[turn]));
        }
    }
    Times(times)
}

fn calls_of_a_turn(batch: &Batch, threads: usize, turn: Duration) -> u64 {
    let mut calls = 64;
    loop {
        let nanos = nanos_per_call(batch, threads, calls) * as_number(calls);
        if nanos * 4.0 > turn.as_secs_f64() * 1e9 {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
            let calls = (as_number(calls) * turn.as_secs_f64() * 1e9 / nanos) as u64;
            return calls.max(1);
        }
        calls *= 2;
    }
}

/// As [`nanos_per_call`], tried again until the threads have run at the same time; not a number where on a busy machine they never did.
fn steady_nanos_per_call(batch: &Batch, threads: usize, calls: u64) -> f64 {
    let mut tries = std::iter::repeat_with(|| turn_of(batch, threads, calls)).take(TRIES);
    let steady = tries.find(|turn| turn.overlap >= ENOUGH);
    steady.map_or(f64::NAN, |turn| turn.time.as_secs_f64() * 1e9 / as_number(calls))
}

/// How often a turn of several threads is tried, and what share of their time they must have had in common.
const TRIES: usize = 10;
const ENOUGH: f64 = 0.8;

/// What a thread that calls sees, the mean of all of them.
fn nanos_per_call(batch: &Batch, threads: usize, calls: u64) -> f64 {
    turn_of(batch, threads, calls).time.as_secs_f64() * 1e9 / as_number(calls)
}

struct Turn {
    time: Duration,
    overlap: f64,
}

fn turn_of(batch: &Batch, threads: usize, calls: u64) -> Turn {
    let ready = &AtomicUsize::new(0);
    let thread = || {
        ready.fetch_add(1, Ordering::AcqRel);
        while ready.load(Ordering::Acquire) < threads {
            std::hint::spin_loop();
        }
        let start = Instant::now();
        batch(calls);
        (start, Instant::now())
    };
    let spans: Vec<(Instant, Instant)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(thread)).collect();
        let own = thread();
        others.into_iter().filter_map(|other| other.join().ok()).chain([own]).collect()
    });
    let sum: Duration = spans.iter().map(|(start, end)| *end - *start).sum();
    let longest = spans.iter().map(|(start, end)| *end - *start).max().unwrap_or_default();
    let common = spans.iter().map(|(_, end)| *end).min().zip(spans.iter().map(|(start, _)| *start).max());
    let common = common.map_or(Duration::ZERO, |(end, start)| end.saturating_duration_since(start));
    let time = sum / u32::try_from(threads).unwrap_or(u32::MAX);
    Turn { time, overlap: common.as_secs_f64() / longest.as_secs_f64() }
}

impl Times {
    /// The median of a contender's rounds.
    #[must_use]
    pub fn nanos(&self, contender: usize) -> f64 {
        median(self.0[contender].clone())
    }

    /// The median of the rounds' ratios of two contenders.
    #[must_use]
    pub fn ratio(&self, contender: usize, to: usize) -> f64 {
        median(self.0[contender].iter().zip(&self.0[to]).map(|(one, other)| one / other).collect())
    }
}

/// Of those rounds in which both sides were measured.
fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.retain(|number| number.is_finite());
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

#[expect(clippy::cast_precision_loss, reason = "far fewer calls than 2^52")]
fn as_number(calls: u64) -> f64 {
    calls as f64
}
