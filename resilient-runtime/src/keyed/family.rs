//! What all keys of a name have in common.

use super::append::Append;
use super::key::{Key, hash};
use super::map::{MOST_SHARDS, Map};
use crate::clock::{Instant, now};
use crate::events::{self, Summary};
use crate::registry::Shared;
use crate::sync::{AtomicBool, AtomicU32, Mutex, OnceBox, Ordering, lock, seeded};
use std::any::Any;
use std::fmt;

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
    /// What stays in one place while a call uses it.
    type Slot: Send + Sync + 'static;
    /// What the keys of a family share.
    type Common: Send + Sync + 'static;

    fn common(name: Option<&'static str>, settings: Self::Settings) -> Self::Common;
    /// One for all keys that find no place.
    fn overflow(name: Option<&'static str>, settings: Self::Settings) -> Self;
    /// New settings for what the keys share; the keys follow.
    fn change_common(family: &Family<Self>, settings: Self::Settings, now: Instant);
    /// After a change, when no lock is held: those who wait ask again.
    fn wake(_family: &'static Family<Self>) {}
    fn max_keys(settings: &Self::Settings) -> Option<u32>;
    fn is_enabled(settings: &Self::Settings) -> bool;
}

/// A resource of which every key has a slot, pinned while a call uses it.
pub(crate) trait Slotted: Kept {
    fn slot(family: &'static Family<Self>) -> Self::Slot;
    fn pins(slot: &Self::Slot) -> &AtomicU32;
    /// Whether the slot, which nobody uses, holds nothing that its key would miss.
    fn is_idle(slot: &Self::Slot, now: Instant) -> bool;
    /// An idle slot becomes what a new one is, for another key.
    fn renew(slot: &Self::Slot);
    /// A slot learns what its common part does not tell; told when no lock of a map is held.
    fn follow(slot: &Self::Slot, settings: Self::Settings);
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

/// A map whose keys' type is not known.
pub(super) trait AnyMap<T: Kept>: Send + Sync {
    /// Forgets a key that holds nothing, if one is found soon.
    fn vacate(&self, family: &Family<T>, now: Instant) -> bool;
    fn change(&self, family: &Family<T>, settings: T::Settings, now: Instant);
    /// Every slot, where every key has one.
    fn each(&self, _see: &mut dyn FnMut(&T::Slot)) {}
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

    /// How many keys are known now.
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
            typed.map.change(self, settings, now);
        }
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

    /// Every slot; those that come meanwhile may be missed.
    pub(super) fn each(&self, mut see: impl FnMut(&T::Slot)) {
        self.maps().for_each(|typed| typed.map.each(&mut see));
    }

    /// The map of that type, for at most so many keys; there is one for each type of keys.
    #[inline]
    pub(super) fn map<M: AnyMap<T> + 'static>(&self, make: fn(u32, T::Settings) -> M) -> &'static M {
        self.known_map().unwrap_or_else(|| self.add_map(make))
    }

    #[inline]
    fn known_map<M: AnyMap<T> + 'static>(&self) -> Option<&'static M> {
        if let Some(map) = self.first.get().and_then(|typed| typed.known.downcast_ref()) {
            return Some(map);
        }
        self.others.iter().find_map(|typed| typed.known.downcast_ref())
    }

    #[cold]
    fn add_map<M: AnyMap<T> + 'static>(&self, make: fn(u32, T::Settings) -> M) -> &'static M {
        let mut limits = lock(&self.limits);
        if let Some(map) = self.known_map() {
            return map;
        }
        let map = make(self.max_keys.load(Ordering::Relaxed), limits.settings);
        let map: &'static M = Box::leak(Box::new(map));
        if let Err(typed) = self.first.set(Box::new(Typed { known: map, map })) {
            self.others.set(limits.others, *typed);
            limits.others += 1;
        }
        map
    }

    fn maps(&self) -> impl Iterator<Item = &Typed<T>> {
        self.first.get().into_iter().chain(self.others.iter())
    }

    /// The right to one more key.
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
        if seeded!("keyed: not counted down") {
            return;
        }
        self.entries.fetch_sub(1, Ordering::Relaxed);
    }

    /// Forgets a key that holds nothing, of any type, if one is found soon.
    pub(super) fn vacate(&self, now: Instant) -> bool {
        self.maps().any(|typed| typed.map.vacate(self, now))
    }

    /// A call goes without a slot of its own.
    #[cold]
    pub(super) fn tell_overflow(&self, function: &str) {
        events::keys_overflow(&self.summary, function, T::WHAT, self.name, self.max_keys.load(Ordering::Relaxed));
    }
}

impl<T: Slotted> Family<T> {
    /// The slot of that key, pinned; `None` if there is none for it.
    #[inline]
    pub(super) fn pin<Q: Key + ?Sized>(&'static self, hash: u64, key: &Q) -> Option<Pin<T>> {
        self.map(|max_keys, _| Map::<Q::Kept, T>::new(max_keys)).pin(self, hash, key)
    }

    /// The slot of that key, if it has one.
    pub(super) fn find<Q: Key + ?Sized>(&'static self, key: &Q) -> Option<Pin<T>> {
        self.known_map::<Map<Q::Kept, T>>()?.find(hash(key), key)
    }
}

/// Keeps a slot with its key.
pub(crate) struct Pin<T: Slotted> {
    slot: &'static T::Slot,
}

impl<T: Slotted> Pin<T> {
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

impl<T: Slotted> Drop for Pin<T> {
    #[inline]
    fn drop(&mut self) {
        T::pins(self.slot).fetch_sub(1, Ordering::Release);
    }
}
