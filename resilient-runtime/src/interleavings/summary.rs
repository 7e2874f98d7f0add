//! What happens too often to be told one by one: who counts it, and who tells it.

use super::{assert_caught, beside, end, explore_some};
use crate::clock::Instant;
use crate::events::Summary;
use crate::sync::thread::JoinHandle;
use std::sync::Arc;

const START: Instant = Instant::from_nanos(1 << 50);
const TEN_SECONDS: u64 = 10_000_000_000;

fn counts(summary: &Arc<Summary>, moments: [Instant; 2]) -> JoinHandle<[Option<u64>; 2]> {
    let summary = Arc::clone(summary);
    beside(move || moments.map(|now| summary.count(now)))
}

/// Six refusals, two after the summary of the others is due: each is told once, and nobody tells of none.
fn refusals() {
    explore_some(300, 2, || {
        let summary = Arc::new(Summary::new());
        let later = START.plus(TEN_SECONDS);
        let threads = [[START, START], [START, later], [START, later]].map(|moments| counts(&summary, moments));
        let told: Vec<_> = threads.map(end).into_iter().flatten().flatten().collect();
        assert!((1..=2).contains(&told.len()), "told {} times", told.len());
        assert!(!told.contains(&0), "told of nothing");
        let rest = summary.count(later.plus(TEN_SECONDS)).map_or(0, |rest| rest - 1);
        assert_eq!(told.iter().sum::<u64>() + rest, 6, "{told:?}, and {rest} of later");
    });
}

#[test]
fn a_summary_tells_of_each_once_and_never_of_none() {
    refusals();
}

#[test]
fn seeded_a_summary_that_tells_of_none_is_caught() {
    assert_caught("a summary of none", refusals);
}

#[test]
fn seeded_a_summary_that_is_read_and_then_emptied_is_caught() {
    assert_caught("a summary is read, then emptied", refusals);
}
