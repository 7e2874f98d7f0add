//! One resource for each value of an expression: `key = tenant`.
//!
//! A [`Family`] is what a name's keys have in common; it knows at most `max_keys` of them. Of breakers and bulkheads each key has a
//! slot ([`map`], [`shard`]), which whoever uses it pins. Of buckets it has a word in a table ([`ledger`], [`page`], [`table`]), and a
//! slot only while a call holds it. A key is forgotten only while nobody has pinned its slot and it holds nothing that a new one would
//! not: so a key is never in two places, and nothing that is owed is forgotten. Idle keys are sought when a new one comes, a few at a
//! time; there is no task and no thread.

mod append;
mod both;
mod breakers;
mod cell;
mod family;
mod hasher;
mod held;
mod index;
mod key;
mod ledger;
mod map;
mod of_breaker;
mod of_bucket;
mod of_bulkhead;
mod page;
mod shard;
mod table;

pub(crate) use both::Both;
pub use breakers::{KeyedBreaker, KeyedBreakers};
pub(crate) use family::{DEFAULT_MAX_KEYS, Family, Kept, Keys, max_keys_problem};
pub(crate) use held::Families;
pub use held::Keyed;
pub use key::{Peel, kept};
pub(crate) use of_bucket::KeyedBucket;
