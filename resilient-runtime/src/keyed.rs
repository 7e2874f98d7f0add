//! One resource for each value of an expression: `key = tenant`.
//!
//! A [`Family`] is what a name's keys have in common; it keeps one slot for each key, at most `max_keys` of them. Whoever uses a
//! slot pins it, and a slot is given to another key only while it is not pinned and holds nothing that a new one would not: so a
//! key is never in two places, and nothing that is owed is forgotten. Keys are sought for idle slots when a new one comes, a few at
//! a time; there is no task and no thread.

mod append;
mod both;
mod breakers;
mod family;
mod held;
mod index;
mod key;
mod map;
mod of_breaker;
mod of_bucket;
mod of_bulkhead;
mod shard;

pub(crate) use both::Both;
pub use breakers::{KeyedBreaker, KeyedBreakers};
pub(crate) use family::{DEFAULT_MAX_KEYS, Family, Kept, Keys, max_keys_problem};
pub(crate) use held::Families;
pub use held::Keyed;
pub use key::{Peel, kept};
pub(crate) use of_bucket::KeyedBucket;
