//! What all keys of a name have in common.

use super::append::Append;
use super::key::{Key, hash};
use super::map::{AnyMap, MOST_SHARDS, Map};
use crate::clock::{Instant, now};
use crate::events::{self, Summary};
use crate::registry::Shared;
use crate::sync::{Mutex, lock};
use once_cell::race::OnceBox;
use std::any::Any;
use std::fmt;
use std::hash::Hash;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

pub(crate) const DEFAULT_MAX_KEYS: u32 = 10_000;
const MOST_KEYS: u32 = 10_000_000;

pub(crate) const fn max_keys_problem(max_keys: Option<u32>) -> Option<&'static str> {
    match max_keys {
        Some(max_keys) if max_keys == 0 || max_keys > MOST_KEYS => Some("`max_keys` must be from 1 to 10000000"),
        _ => None,
    }
}

/// Whether a function keeps one for each key, and how many at most if it says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    None,
    Default,
    AtMost(u32),
}

impl Keys {
    /// What an attribute says; nothing is the default.
    pub(crate) const fn of(max_keys: Option<u32>) -> Self {
        match max_keys {
            Some(max_keys) => Self::AtMost(max_keys),
            None => Self::Default,
        }
    }

    pub(crate) const fn are_there(self) -> bool {
        !matches!(self, Self::None)
    }

    pub(crate) const fn at_most(self) -> Option<u32> {
        match self {
            Self::AtMost(max_keys) => Some(max_keys),
            Self::None | Self::Default => None,
        }
    }
}

/// A resource that a family keeps for each key.
pub(crate) trait Kept: Shared {
    /// One key's; it is pinned while a call uses it.
    type Slot: Send + Sync + 'static;
    /// What every use of a slot must know, told with it.
    type Terms: Copy + Send + 'static;
    /// What the slots of a family share.
    type Common: Send + Sync + 'static;
    /// Whether a slot knows since when it has been idle.
    const KNOWS_SINCE_WHEN: bool;

    fn common(name: Option<&'static str>, settings: Self::Settings) -> Self::Common;
    fn terms(settings: Self::Settings) -> Self::Terms;
    /// One for all keys that find no slot.
    fn overflow(name: Option<&'static str>, settings: Self::Settings) -> Self;
    fn slot(family: &'static Family<Self>) -> Self::Slot;
    fn pins(slot: &Self::Slot) -> &AtomicU32;
    /// Whether the slot, which nobody uses, has held nothing since then that a new one would not.
    fn is_idle(family: &Family<Self>, slot: &Self::Slot, terms: &Self::Terms, since: Instant) -> bool;
    /// An idle slot goes to another key.
    fn clear(_family: &Family<Self>, _slot: &Self::Slot) {}
    /// New settings for what the slots share; the slots follow.
    fn change_common(family: &Family<Self>, settings: Self::Settings, now: Instant);
    /// A slot takes the new terms, the second, for the old; nobody can begin to use it meanwhile.
    fn adjust(_family: &Family<Self>, _slot: &Self::Slot, _is_pinned: bool, _terms: (&Self::Terms, &Self::Terms), _now: Instant) {}
    /// A slot learns what its common part does not tell; told when no lock of a map is held.
    fn follow(_slot: &Self::Slot, _settings: Self::Settings) {}
    /// After a change, when no lock is held: those who wait ask again.
    fn wake(_family: &'static Family<Self>) {}
    fn max_keys(settings: &Self::Settings) -> Option<u32>;
    fn is_enabled(settings: &Self::Settings) -> bool;
}

pub(crate) struct Family<T: Kept> {
    name: Option<&'static str>,
    pub(super) common: T::Common,
    pub(super) overflow: T,
    limits: Mutex<Limits<T::Settings>>,
    is_disabled: AtomicBool,
    max_keys: AtomicU32,
    entries: AtomicU32,
    /// Mostly the only map; each other one is for another type of keys.
    first: OnceBox<Typed<T>>,
    others: Append<Typed<T>>,
    summary: Summary,
}

struct Limits<S> {
    settings: S,
    others: u32,
}

/// The same map twice: of which type its keys are is asked of the one, and the other does without.
struct Typed<T: Kept> {
    known: &'static (dyn Any + Send + Sync),
    map: &'static dyn AnyMap<T>,
}

impl<T: Kept> fmt::Debug for Family<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, keys) = (&self.name, self.len());
        formatter.debug_struct("Family").field("what", &T::WHAT).field("name", name).field("keys", &keys).finish_non_exhaustive()
    }
}

impl<T: Kept> Family<T> {
    /// For the life of the process.
    pub(crate) fn new(name: Option<&'static str>, settings: T::Settings) -> &'static Self {
        let family = Self {
            name,
            common: T::common(name, settings),
            overflow: T::overflow(name, settings),
            limits: Mutex::new(Limits { settings, others: 0 }),
            is_disabled: AtomicBool::new(!T::is_enabled(&settings)),
            max_keys: AtomicU32::new(T::max_keys(&settings).unwrap_or(DEFAULT_MAX_KEYS)),
            entries: AtomicU32::new(0),
            first: OnceBox::new(),
            others: Append::new(),
            summary: Summary::new(),
        };
        Box::leak(Box::new(family))
    }

    pub(crate) fn name(&self) -> Option<&'static str> {
        self.name
    }

    /// How many keys have a slot now.
    pub(crate) fn len(&self) -> u32 {
        self.entries.load(Ordering::Relaxed)
    }

    /// Whether configuration has not switched it off; asked when a plan is made.
    pub(crate) fn is_enabled(&self) -> bool {
        !self.is_disabled.load(Ordering::Relaxed)
    }

    /// All keys take the new settings and keep their states. Two changes at once wait for each other.
    pub(crate) fn change(&self, settings: T::Settings) {
        let mut limits = lock(&self.limits);
        if limits.settings == settings {
            return;
        }
        limits.settings = settings;
        let now = now();
        T::change_common(self, settings, now);
        for typed in self.maps() {
            typed.map.change(self, T::terms(settings), now);
        }
        self.each(|slot| T::follow(slot, settings));
        self.is_disabled.swap(!T::is_enabled(&settings), Ordering::Relaxed);
        self.max_keys.swap(T::max_keys(&settings).unwrap_or(DEFAULT_MAX_KEYS), Ordering::Relaxed);
        self.shrink(now);
    }

    /// Forgets idle keys that are too many; those in use are forgotten once they are idle.
    fn shrink(&self, now: Instant) {
        let looks = self.len().saturating_add(2 * MOST_SHARDS);
        for _ in 0..looks {
            if !self.is_over() {
                return;
            }
            self.vacate(now);
        }
    }

    /// The slot of that key, pinned; `None` if there is none for it.
    #[inline]
    pub(super) fn pin<Q: Key + ?Sized>(&'static self, hash: u64, key: &Q) -> Option<(Pin<T>, T::Terms)> {
        self.map::<Q::Kept>().pin(self, hash, key)
    }

    /// The slot of that key, if it has one.
    pub(super) fn find<Q: Key + ?Sized>(&'static self, key: &Q) -> Option<Pin<T>> {
        self.known_map::<Q::Kept>()?.find(hash(key), key).map(|(pin, _)| pin)
    }

    /// Every slot; those that come meanwhile may be missed.
    pub(super) fn each(&self, mut see: impl FnMut(&T::Slot)) {
        self.maps().for_each(|typed| typed.map.each(&mut see));
    }

    #[inline]
    fn map<K: Hash + Eq + Send + 'static>(&self) -> &'static Map<K, T> {
        self.known_map().unwrap_or_else(|| self.add_map())
    }

    #[inline]
    fn known_map<K: Hash + Eq + Send + 'static>(&self) -> Option<&'static Map<K, T>> {
        if let Some(map) = self.first.get().and_then(|typed| typed.known.downcast_ref()) {
            return Some(map);
        }
        self.others.iter().find_map(|typed| typed.known.downcast_ref())
    }

    #[cold]
    fn add_map<K: Hash + Eq + Send + 'static>(&self) -> &'static Map<K, T> {
        let mut limits = lock(&self.limits);
        if let Some(map) = self.known_map() {
            return map;
        }
        let map = Map::<K, T>::new(self.max_keys.load(Ordering::Relaxed), T::terms(limits.settings));
        let map: &'static Map<K, T> = Box::leak(Box::new(map));
        if let Err(typed) = self.first.set(Box::new(Typed { known: map, map })) {
            self.others.set(limits.others, *typed);
            limits.others += 1;
        }
        map
    }

    fn maps(&self) -> impl Iterator<Item = &Typed<T>> {
        self.first.get().into_iter().chain(self.others.iter())
    }

    /// The right to make one more slot.
    pub(super) fn reserve(&self) -> bool {
        let max_keys = self.max_keys.load(Ordering::Relaxed);
        let one_more = |entries: u32| (entries < max_keys).then_some(entries + 1);
        self.entries.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).is_ok()
    }

    /// Whether there are more keys than there may be, since fewer may be than before.
    pub(super) fn is_over(&self) -> bool {
        self.len() > self.max_keys.load(Ordering::Relaxed)
    }

    pub(super) fn give_back(&self) {
        self.entries.fetch_sub(1, Ordering::Relaxed);
    }

    /// Takes a slot that holds nothing from a key anywhere, if one is found soon.
    pub(super) fn vacate(&self, now: Instant) -> bool {
        self.maps().any(|typed| typed.map.vacate(self, now))
    }

    /// A call goes without a slot of its own.
    #[cold]
    pub(super) fn tell_overflow(&self, function: &str) {
        events::keys_overflow(&self.summary, function, T::WHAT, self.name, self.max_keys.load(Ordering::Relaxed));
    }
}

/// Keeps a slot with its key.
pub(crate) struct Pin<T: Kept> {
    slot: &'static T::Slot,
}

impl<T: Kept> Pin<T> {
    /// Only while the shard is locked that the slot is in.
    #[inline]
    pub(super) fn new(slot: &'static T::Slot) -> Self {
        T::pins(slot).fetch_add(1, Ordering::Relaxed);
        Self { slot }
    }

    #[inline]
    pub(super) fn slot(&self) -> &T::Slot {
        self.slot
    }
}

impl<T: Kept> Drop for Pin<T> {
    #[inline]
    fn drop(&mut self) {
        T::pins(self.slot).fetch_sub(1, Ordering::Release);
    }
}
