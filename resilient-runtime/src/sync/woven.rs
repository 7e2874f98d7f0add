//! Locks and words of which a model checker decides who goes first.
//!
//! Ours can be made in a constant and theirs cannot. So each of ours takes one of theirs when it is first used, from a supply that was
//! made before the model's threads were, and counts from what it held. Without a supply, outside a model, ours are plain ones, and so
//! they are while a model that failed is torn down.

mod lock;
mod once;
mod word;

#[cfg(interleaved = "loom")]
use loom as checker;
#[cfg(interleaved = "shuttle")]
use shuttle as checker;

pub(crate) use lock::{Mutex, MutexGuard};
pub(crate) use once::{AtomicCell, OnceBox, OnceRef};
pub(crate) use word::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize};

use checker::sync::atomic::AtomicU64 as Theirs;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64 as Plain, Ordering};

/// Threads of the model, for code that parks and unparks them.
pub(crate) mod thread {
    pub(crate) use super::checker::thread::*;
    use std::time::Duration;

    /// A time limit may always be over at once.
    pub(crate) fn park_timeout(_limit: Duration) {
        yield_now();
    }
}

thread_local! {
    static SUPPLY: RefCell<Option<Rc<Supply>>> = const { RefCell::new(None) };
    static SEEDED: Cell<&'static str> = const { Cell::new("") };
}

/// More words than a model should have, as its executions are more than anybody can wait for.
const WORDS: usize = 40;

/// The checker's words for one execution.
struct Supply {
    execution: u64,
    words: Vec<Supplied>,
    used: Cell<usize>,
}

struct Supplied {
    word: Theirs,
    /// What it counts from.
    base: Cell<u64>,
    /// Loom takes no turn between another thread's load and a store, if the thread that stores has loaded the word itself in between,
    /// as every compare-and-swap does: <https://github.com/tokio-rs/loom/issues/166>. So all take their turns at this one.
    #[cfg(interleaved = "loom")]
    turn: Theirs,
}

impl Supplied {
    fn new() -> Self {
        Self {
            word: Theirs::new(0),
            base: Cell::new(0),
            #[cfg(interleaved = "loom")]
            turn: Theirs::new(0),
        }
    }

    fn take_turn(&self) -> &Theirs {
        #[cfg(interleaved = "loom")]
        self.turn.fetch_add(1, Ordering::Relaxed);
        &self.word
    }
}

/// From here to the end of this execution words and locks are the checker's. Every model begins with it.
pub(crate) fn weave() {
    static EXECUTIONS: Plain = Plain::new(1);
    let words = (0..WORDS).map(|_| Supplied::new()).collect();
    let supply = Supply { execution: EXECUTIONS.fetch_add(1, Ordering::Relaxed), words, used: Cell::new(0) };
    SUPPLY.set(Some(Rc::new(supply)));
}

/// Words and locks are plain ones again.
pub(crate) fn unravel() {
    SUPPLY.set(None);
}

fn supply() -> Option<Rc<Supply>> {
    if std::thread::panicking() { None } else { SUPPLY.with_borrow(Clone::clone) }
}

/// Plants a bug; the empty name is none.
pub(crate) fn seed(bug: &'static str) {
    SEEDED.set(bug);
}

pub(crate) fn seed_of_today() -> &'static str {
    SEEDED.get()
}

/// Whether a bug that the models must catch is planted here.
macro_rules! seeded {
    ($bug:literal) => {
        $crate::sync::seed_of_today() == $bug
    };
}
pub(crate) use seeded;
