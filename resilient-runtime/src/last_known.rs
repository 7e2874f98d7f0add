//! The last good value of a function: what `fallback = last_known("10m")` falls back on.
//!
//! One lock guards each store, and no code of the user's runs under it but the comparison of keys. A success that finds it taken
//! is not kept: another one is being kept, or looked for, at that very moment. Reading makes the copy under a lock of the value's own, so that
//! neither successes nor other values wait for it.

use crate::clock::{Instant, nanos, now};
use crate::events;
use crate::keyed::{DEFAULT_MAX_KEYS, max_keys_problem};
use crate::outcome::{Outcome, PlainKind, ResultKind};
use crate::plan::Plan;
use crate::rejected::Rejected;
use crate::sync::{Mutex, MutexGuard, PoisonError, TryLockError, lock, seeded};
use std::any::Any;
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

/// A value that can be kept beyond the call.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`last_known` cannot keep a `{Self}`",
    label = "the last good value is cloned, kept for other threads and handed out later, so it must be `Clone + Send + 'static`",
    note = "derive `Clone`, return what is shared as an `Arc`, or write the fallback yourself: `fallback = |failure| …`"
)]
pub trait Keepable: Clone + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Clone + Send + 'static> Keepable for T {}

/// The last good value of a function, for each type that it is instantiated with.
#[doc(hidden)]
#[derive(Debug)]
pub struct LastKnown(Shelves);

/// The last good value for each key: for at most so many keys, of which the one whose value is oldest goes first.
#[doc(hidden)]
#[derive(Debug)]
pub struct LastKnownByKey {
    shelves: Shelves,
    max_keys: usize,
}

/// One for each type: a site is shared by all instantiations of its function.
type Shelves = Mutex<Vec<Box<dyn Any + Send>>>;

/// Where an emitted call keeps its value and finds it again.
#[doc(hidden)]
pub trait Keeper {
    fn remember<T: Keepable>(self, value: &T);
    fn recall<T: Keepable>(self, max_age: Duration) -> Option<(T, Duration)>;
}

/// A lock of its own lets readers clone a value that is only `Send`.
struct Kept<T> {
    value: Arc<Mutex<T>>,
    since: Instant,
}

struct Shelf<T>(Option<Kept<T>>);

struct ShelfByKey<K, T> {
    kept: HashMap<K, (u64, Kept<T>)>,
    /// The keys, the oldest value's first.
    order: BTreeMap<u64, K>,
    stored: u64,
}

impl LastKnown {
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Keeps it, unless another one is being kept just now.
    pub fn remember<T: Keepable>(&self, value: T) {
        let early = seeded!("last known: early time").then(now);
        let Some(mut shelves) = try_lock(&self.0) else { return };
        let now = early.unwrap_or_else(now);
        let Shelf(kept) = shelf(&mut shelves, || Shelf(None));
        let replaced = Kept::replace(kept, value, now);
        drop(shelves);
        drop(replaced);
    }

    /// A copy of the value and its age, if there is one that is at most so old.
    pub fn recall<T: Keepable>(&self, max_age: Duration) -> Option<(T, Duration)> {
        let now = now();
        let mut shelves = lock(&self.0);
        let Shelf(kept) = shelf::<Shelf<T>>(&mut shelves, || Shelf(None));
        let found = kept.as_ref().and_then(|kept| kept.at_most(max_age, now));
        drop(shelves);
        copy(found)
    }
}

impl Default for LastKnown {
    fn default() -> Self {
        Self::new()
    }
}

impl LastKnownByKey {
    pub const MAX_KEYS: usize = DEFAULT_MAX_KEYS as usize;

    #[must_use]
    pub const fn new(max_keys: usize) -> Self {
        Self { shelves: Mutex::new(Vec::new()), max_keys }
    }

    /// For a function whose attribute says so of `max_keys`.
    ///
    /// # Panics
    ///
    /// On nonsense, in a static and so while it is built.
    #[must_use]
    pub const fn of(max_keys: Option<u32>) -> Self {
        if let Some(problem) = max_keys_problem(max_keys) {
            panic!("{}", problem);
        }
        match max_keys {
            Some(max_keys) => Self::new(max_keys as usize),
            None => Self::new(Self::MAX_KEYS),
        }
    }

    /// Keeps it, unless another one is being kept just now.
    pub fn remember<K: Eq + Hash + Clone + Send + 'static, T: Keepable>(&self, key: K, value: T) {
        let listed = key.clone();
        let Some(mut shelves) = try_lock(&self.shelves) else { return };
        let now = now();
        let values = shelf(&mut shelves, ShelfByKey::<K, T>::new);
        let replaced = values.put(key, listed, value, now);
        let forgotten = values.forget_above(self.max_keys);
        drop(shelves);
        drop((replaced, forgotten));
    }

    /// A copy of the key's value and its age, if there is one that is at most so old.
    pub fn recall<K: Eq + Hash + Send + 'static, T: Keepable>(&self, key: &K, max_age: Duration) -> Option<(T, Duration)> {
        let now = now();
        let mut shelves = lock(&self.shelves);
        let values = shelf(&mut shelves, ShelfByKey::<K, T>::new);
        let found = values.kept.get(key).and_then(|(_, kept)| kept.at_most(max_age, now));
        drop(shelves);
        copy(found)
    }
}

impl Keeper for &LastKnown {
    fn remember<T: Keepable>(self, value: &T) {
        LastKnown::remember(self, value.clone());
    }

    fn recall<T: Keepable>(self, max_age: Duration) -> Option<(T, Duration)> {
        LastKnown::recall(self, max_age)
    }
}

impl<K: Eq + Hash + Clone + Send + 'static> Keeper for (&LastKnownByKey, &K) {
    fn remember<T: Keepable>(self, value: &T) {
        self.0.remember(self.1.clone(), value.clone());
    }

    fn recall<T: Keepable>(self, max_age: Duration) -> Option<(T, Duration)> {
        self.0.recall(self.1, max_age)
    }
}

impl<K: Eq + Hash, T> ShelfByKey<K, T> {
    fn new() -> Self {
        Self { kept: HashMap::new(), order: BTreeMap::new(), stored: 0 }
    }

    /// What must be dropped after the lock is released.
    fn put(&mut self, key: K, listed: K, value: T, now: Instant) -> impl Sized + use<K, T> {
        self.stored += 1;
        let (replaced, previous) = if let Some((stored, kept)) = self.kept.get_mut(&key) {
            let (value, previous) = (kept.refresh(value, now), std::mem::replace(stored, self.stored));
            (Some((key, value)), Some(previous))
        } else {
            self.kept.insert(key, (self.stored, Kept::new(value, now)));
            (None, None)
        };
        let unlisted = previous.and_then(|previous| self.order.remove(&previous));
        self.order.insert(self.stored, listed);
        (replaced, unlisted)
    }

    fn forget_above(&mut self, max_keys: usize) -> impl Sized + use<K, T> {
        let oldest = (self.kept.len() > max_keys).then(|| self.order.pop_first()).flatten();
        oldest.map(|(_, key)| (self.kept.remove_entry(&key), key))
    }
}

impl<T> Kept<T> {
    fn new(value: T, now: Instant) -> Self {
        Self { value: Arc::new(Mutex::new(value)), since: now }
    }

    /// The value that was there before, in a box of its own only if somebody is copying it.
    fn refresh(&mut self, value: T, now: Instant) -> (Option<T>, Option<Arc<Mutex<T>>>) {
        self.since = now;
        if let Some(kept) = Arc::get_mut(&mut self.value) {
            let kept = kept.get_mut().unwrap_or_else(PoisonError::into_inner);
            return (Some(std::mem::replace(kept, value)), None);
        }
        (None, Some(std::mem::replace(&mut self.value, Arc::new(Mutex::new(value)))))
    }

    fn replace(place: &mut Option<Self>, value: T, now: Instant) -> impl Sized + use<T> {
        if let Some(kept) = place {
            return Some(kept.refresh(value, now));
        }
        *place = Some(Self::new(value, now));
        None
    }

    fn at_most(&self, max_age: Duration, now: Instant) -> Option<(Arc<Mutex<T>>, Duration)> {
        let age = now.since(self.since);
        (age <= nanos(max_age)).then(|| (Arc::clone(&self.value), Duration::from_nanos(age)))
    }
}

fn shelf<S: Send + 'static>(shelves: &mut Vec<Box<dyn Any + Send>>, empty: impl FnOnce() -> S) -> &mut S {
    let found = shelves.iter().position(|shelf| shelf.is::<S>());
    let index = found.unwrap_or_else(|| {
        shelves.push(Box::new(empty()));
        shelves.len() - 1
    });
    shelves[index].downcast_mut().unwrap_or_else(|| unreachable!("it was found by this type"))
}

fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

thread_local! {
    static IS_COPYING: Cell<bool> = const { Cell::new(false) };
}

struct Copying;

impl Drop for Copying {
    fn drop(&mut self) {
        IS_COPYING.set(false);
    }
}

/// Runs the user's `Clone`. Should that call a function which falls back as well, it finds nothing, where it could find itself.
fn copy<T: Clone>(found: Option<(Arc<Mutex<T>>, Duration)>) -> Option<(T, Duration)> {
    let (value, age) = found?;
    if IS_COPYING.replace(true) {
        return None;
    }
    let _copying = Copying;
    let copy = lock(&value).clone();
    Some((copy, age))
}

/// The end of a call: a success is kept, and a failure becomes the last success.
#[doc(hidden)]
pub fn known<R: Outcome<Value: Keepable>>(plan: &Plan<'_>, keeper: impl Keeper, max_age: Duration, outcome: R, is_good: bool) -> R {
    match outcome.parts() {
        Ok(value) if is_good => keeper.remember(value),
        _ if is_good => {}
        _ => return recall(plan, keeper, max_age, "error").map_or(outcome, R::from_value),
    }
    outcome
}

/// What a refused call returns instead, if there is something.
#[doc(hidden)]
#[cold]
pub fn known_instead<R: Outcome<Value: Keepable>>(
    plan: &Plan<'_>,
    keeper: impl Keeper,
    max_age: Duration,
    rejected: &Rejected,
) -> Option<R> {
    recall(plan, keeper, max_age, rejected.kind().word()).map(R::from_value)
}

#[cold]
fn recall<T: Keepable>(plan: &Plan<'_>, keeper: impl Keeper, max_age: Duration, reason: &str) -> Option<T> {
    let (value, age) = keeper.recall(max_age)?;
    events::last_known(plan, age, reason);
    Some(value)
}

#[expect(clippy::unused_self, reason = "the value is there to pick the method")]
impl<T, E> ResultKind<T, E> {
    pub fn known(
        self,
        plan: &Plan<'_>,
        keeper: impl Keeper,
        max_age: Duration,
        outcome: Result<T, E>,
        is_good: bool,
    ) -> Result<T, E>
    where
        T: Keepable,
    {
        known(plan, keeper, max_age, outcome, is_good)
    }
}

#[expect(clippy::unused_self, reason = "as `ResultKind`")]
impl<R> PlainKind<R> {
    pub fn known(self, plan: &Plan<'_>, keeper: impl Keeper, max_age: Duration, value: R, is_good: bool) -> R
    where
        R: Keepable,
    {
        if is_good {
            keeper.remember(&value);
            return value;
        }
        recall(plan, keeper, max_age, "error").unwrap_or(value)
    }
}

#[cfg(test)]
mod tests;
