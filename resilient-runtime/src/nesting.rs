//! What a call hands down to the calls that its body makes.
//!
//! It stands in a thread-local while the body runs: around a sync body, and around each poll of an async one. So whoever polls
//! hands it down, in `join!` and `select!` and after a move to another thread too, and a spawned task or thread finds nothing.

use crate::clock::Instant;
use crate::pools::Pools;
use std::cell::Cell;

/// What is left to the calls further in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope {
    pub(crate) ends: Instant,
    /// There wherever anything is handed down, a deadline alone included, so that a call without a parent looks at one word.
    pub(crate) pools: Option<&'static Pools>,
}

impl Scope {
    pub(crate) const NOTHING: Self = Self { ends: Instant::NEVER, pools: None };
}

thread_local! {
    static SCOPE: Cell<Scope> = const { Cell::new(Scope::NOTHING) };
}

/// Whether no call hands anything down.
#[inline]
pub(crate) fn is_alone() -> bool {
    SCOPE.get().pools.is_none()
}

/// What the enclosing call hands down.
#[inline]
pub(crate) fn inherited() -> Scope {
    SCOPE.get()
}

/// Whoever replaces it puts back what was there before, panic or not.
#[inline]
pub(crate) fn replace(scope: Scope) -> Scope {
    SCOPE.replace(scope)
}
