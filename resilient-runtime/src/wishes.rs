//! What tests want of this thread: its clock, its waits, its attempts, its outcomes.
//!
//! Of each kind the latest counts, in whatever order the guards are dropped. A healthy call looks at one word, the clock's, which a
//! script makes unreadable; everything else is behind it, or where a call waits or fails anyway.

use crate::clock::Instant;
use crate::plan::Plan;
use crate::script::{Cue, Plot};
use crate::sync::fixed::AtomicU64;
use crate::sync::{Mutex, Ordering, lock};
use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

/// The hands of a clock that is turned.
#[derive(Debug)]
pub(crate) struct Hands {
    pub(crate) nanos: AtomicU64,
    pub(crate) waits: Waits,
    /// As late as it can be turned.
    latest: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Waits(Mutex<Vec<Duration>>);

#[derive(Clone, Debug)]
pub(crate) enum Wish {
    Clock(&'static Hands),
    NoWaits(Arc<Waits>),
    Attempts(u32),
    Script(Arc<Plot>),
}

/// A wish, until it is dropped in the thread that made it.
#[derive(Debug)]
pub(crate) struct Guard {
    id: u64,
    _stays_in_its_thread: PhantomData<*const ()>,
}

/// As late as users can turn a clock: 30 years, within what token buckets count.
const LATEST: u64 = 30 * 365 * 86_400 * 1_000_000_000;

thread_local! {
    static CLOCK: Cell<Option<&'static AtomicU64>> = const { Cell::new(None) };
    static IS_SCRIPTED: Cell<bool> = const { Cell::new(false) };
    static WISHES: RefCell<Vec<(u64, Wish)>> = const { RefCell::new(Vec::new()) };
}

impl Guard {
    pub(crate) fn new(wish: Wish) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        WISHES.with_borrow_mut(|wishes| wishes.push((id, wish)));
        grant();
        Self { id, _stays_in_its_thread: PhantomData }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let fulfilled = WISHES.try_with(|wishes| {
            let mut wishes = wishes.borrow_mut();
            wishes.iter().position(|(id, _)| *id == self.id).map(|index| wishes.remove(index))
        });
        drop(fulfilled);
        grant();
    }
}

fn grant() {
    let is_scripted = latest(|wish| matches!(wish, Wish::Script(_)).then_some(())).is_some();
    let clock = clock().filter(|_| !is_scripted).map(|hands| &hands.nanos);
    IS_SCRIPTED.set(is_scripted);
    CLOCK.set(clock);
}

fn latest<T>(find: impl Fn(&Wish) -> Option<T>) -> Option<T> {
    let found = WISHES.try_with(|wishes| wishes.borrow().iter().rev().find_map(|(_, wish)| find(wish)));
    found.ok().flatten()
}

/// Everything that is wanted here, for another thread.
pub(crate) fn all() -> Vec<Wish> {
    WISHES.try_with(|wishes| wishes.borrow().iter().map(|(_, wish)| wish.clone()).collect()).unwrap_or_default()
}

fn clock() -> Option<&'static Hands> {
    latest(|wish| match wish {
        Wish::Clock(hands) => Some(*hands),
        _ => None,
    })
}

/// The time on a turned clock that can be read at a glance.
#[inline]
pub(crate) fn glance() -> Option<Instant> {
    CLOCK.get().map(|nanos| Instant::from_nanos(nanos.load(Ordering::Relaxed)))
}

/// The time on a turned clock.
#[cold]
pub(crate) fn turned_time() -> Option<Instant> {
    let hands = if is_scripted() { clock() } else { None };
    hands.map(|hands| Instant::from_nanos(hands.nanos.load(Ordering::Relaxed)))
}

#[inline]
pub(crate) fn is_scripted() -> bool {
    IS_SCRIPTED.get()
}

/// Answers whether this thread's clock is turned by hand; if so it now shows `nanos` later.
pub(crate) fn turn(nanos: u64) -> bool {
    let Some(hands) = clock() else { return false };
    hands.advance(nanos);
    hands.waits.add(nanos);
    true
}

/// Answers whether this wait is to be over at once.
#[cold]
pub(crate) fn skips(nanos: u64) -> bool {
    let waits = waits();
    waits.inspect(|waits| waits.add(nanos)).is_some()
}

#[cold]
pub(crate) fn skips_waits() -> bool {
    waits().is_some()
}

fn waits() -> Option<Arc<Waits>> {
    latest(|wish| match wish {
        Wish::NoWaits(waits) => Some(Arc::clone(waits)),
        _ => None,
    })
}

/// Whether so many attempts are all that a call may make.
#[cold]
pub(crate) fn cap(attempts: u32) -> bool {
    let caps =
        WISHES.try_with(|wishes| wishes.borrow().iter().any(|(_, wish)| matches!(wish, Wish::Attempts(cap) if attempts >= *cap)));
    caps.unwrap_or(false)
}

/// What a script wants instead of this attempt's body. The innermost script that knows the function and has something left decides.
#[cold]
pub(crate) fn cue(plan: &Plan<'_>) -> Option<Cue> {
    if !is_scripted() {
        return None;
    }
    let plots = all().into_iter().rev().filter_map(|wish| match wish {
        Wish::Script(plot) => Some(plot),
        _ => None,
    });
    let plots: Vec<_> = plots.filter(|plot| plot.concerns(plan.function)).collect();
    let cue = plots.iter().find_map(|plot| plot.next());
    if cue.is_none() {
        for plot in &plots {
            plot.allow(plan.function);
        }
    }
    cue
}

impl Waits {
    fn add(&self, nanos: u64) {
        lock(&self.0).push(Duration::from_nanos(nanos));
    }

    pub(crate) fn list(&self) -> Vec<Duration> {
        lock(&self.0).clone()
    }
}

impl Hands {
    pub(crate) fn new(nanos: u64) -> Self {
        Self { nanos: AtomicU64::new(nanos), waits: Waits::default(), latest: LATEST }
    }

    /// A clock that can be turned to the last moment that is not never.
    #[cfg(test)]
    pub(crate) fn without_end(nanos: u64) -> Self {
        Self { latest: u64::MAX - 1, ..Self::new(nanos) }
    }

    pub(crate) fn advance(&self, nanos: u64) {
        let later = |now: u64| Some(now.saturating_add(nanos).min(self.latest));
        let _ = self.nanos.fetch_update(Ordering::Relaxed, Ordering::Relaxed, later);
    }

    pub(crate) fn turn_back(&self, nanos: u64) {
        let earlier = |now: u64| Some(now.saturating_sub(nanos));
        let _ = self.nanos.fetch_update(Ordering::Relaxed, Ordering::Relaxed, earlier);
    }
}
