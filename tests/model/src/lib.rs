//! A reference model: what every policy does, told a second time, by somebody who has all the time in the world.
//!
//! Plain lists and whole numbers, one thing after the other, nothing shared. It says what the design says, and `play` compares it with
//! the library after every operation of a random history.

mod annotated;
pub mod breaker;
pub mod bucket;
pub mod budget;
pub mod bulkhead;
pub mod call;
pub mod event;
pub mod flaw;
pub mod function;
mod hearing;
pub mod history;
pub mod play;
mod sentence;
mod stage;

/// Chance has decided, and nothing has told how: the history cannot be followed further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undecided;

/// What a refusal says of when to come back, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Nobody can know.
    Nothing,
    /// After so long.
    Exactly(u64),
    /// After something between these, which chance has decided.
    Within(u64, u64),
}

impl Told {
    /// Whether that is what the library may say.
    #[must_use]
    pub fn allows(self, told: Option<u64>) -> bool {
        match (self, told) {
            (Self::Nothing, told) => told.is_none(),
            (Self::Exactly(nanos), told) => told == Some(nanos),
            (Self::Within(shortest, longest), told) => told.is_some_and(|told| (shortest..=longest).contains(&told)),
        }
    }
}
