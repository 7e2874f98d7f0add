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
    /// Where nothing is handed down.
    pub(crate) const NONE: Self = Self { ends: Instant::NEVER, pools: None };
}

/// Its two words stand apart, since most calls hand down one alone.
struct Handed {
    ends: Cell<Instant>,
    pools: Cell<Option<&'static Pools>>,
}

thread_local! {
    static HANDED: Handed = const { Handed { ends: Cell::new(Instant::NEVER), pools: Cell::new(None) } };
}

/// Whether no call hands anything down.
#[inline]
pub(crate) fn is_alone() -> bool {
    HANDED.with(|handed| handed.pools.get().is_none())
}

/// A call that is alone and has no deadline hands down these, until it [ascends](ascend).
#[inline]
pub(crate) fn descend(pools: Option<&'static Pools>) {
    HANDED.with(|handed| handed.pools.set(pools));
}

#[inline]
pub(crate) fn ascend() {
    descend(None);
}

/// What the enclosing call hands down.
pub(crate) fn inherited() -> Scope {
    HANDED.with(|handed| Scope { ends: handed.ends.get(), pools: handed.pools.get() })
}

/// Whoever replaces it puts back what was there before, panic or not.
pub(crate) fn replace(scope: Scope) -> Scope {
    HANDED.with(|handed| Scope { ends: handed.ends.replace(scope.ends), pools: handed.pools.replace(scope.pools) })
}
