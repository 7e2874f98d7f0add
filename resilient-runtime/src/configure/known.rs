//! Every setting that configuration knows, so that a test can hold the README to it.

use super::layer::{Kind, Switches, default_words};
use super::words::Words;
use crate::budget::RetryBudget;
use crate::circuit_breaker::CircuitBreaker;
use crate::overrides::Overrides;
use crate::registry::{BucketSettings, BulkheadSettings, Shared};
use crate::{Bucket, Bulkhead};
use std::time::Duration;

/// A table's name, a word that may stand in it, and what holds where nobody says it.
type Known = (&'static str, &'static str, Option<String>);

/// All of them.
#[must_use]
pub fn settings() -> Vec<Known> {
    Kind::ALL.into_iter().flat_map(|(table, kind)| words(kind).into_iter().map(move |(word, value)| (table, word, value))).collect()
}

fn words(kind: Kind) -> Vec<(&'static str, Option<String>)> {
    match kind {
        Kind::Defaults => default_words().into_iter().map(|word| (word, built_in(word))).collect(),
        Kind::Switches => of(Switches { retries: Some(true) }),
        Kind::Breakers => of(breaker()),
        Kind::Buckets => of(bucket()),
        Kind::Bulkheads => of(bulkhead()),
        Kind::Budgets => of(RetryBudget::BUILT_IN),
        Kind::Functions => of(Overrides::BUILT_IN),
    }
}

/// Of a breaker that looks at everything.
fn breaker() -> CircuitBreaker {
    CircuitBreaker::new().slow_call_duration(Duration::MAX).built_in()
}

fn bucket() -> BucketSettings {
    Bucket::built_in(&BucketSettings::default())
}

fn bulkhead() -> BulkheadSettings {
    Bulkhead::built_in(&BulkheadSettings::default())
}

fn of<S: Words>(built_in: S) -> Vec<(&'static str, Option<String>)> {
    S::WORDS.iter().map(|word| (*word, built_in.show(word))).collect()
}

fn built_in(word: &str) -> Option<String> {
    let shared = breaker().show(word).or_else(|| bucket().show(word)).or_else(|| bulkhead().show(word));
    shared.or_else(|| RetryBudget::BUILT_IN.show(word)).or_else(|| Overrides::BUILT_IN.show(word))
}
