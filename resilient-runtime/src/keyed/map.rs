//! All keys of one type in one family.

use super::family::{AnyMap, Family, Pin, Slotted};
use super::key::Key;
use super::shard::Shard;
use crate::clock::{Instant, now};
use crate::sync::{AtomicUsize, Mutex, Ordering, lock};
use std::borrow::Borrow;
use std::hash::Hash;

/// A slot that was made vacant may be taken by others before it is asked for.
pub(super) const TRIES: u32 = 3;
const KEYS_PER_SHARD: u32 = 256;
pub(super) const MOST_SHARDS: u32 = 64;

/// Into how many parts so many keys are divided, each with a lock of its own.
pub(super) fn shards(max_keys: u32) -> u32 {
    (max_keys / KEYS_PER_SHARD).clamp(1, MOST_SHARDS).next_power_of_two()
}

pub(super) struct Map<K, T: Slotted> {
    shards: Box<[Mutex<Shard<K, T>>]>,
    hand: AtomicUsize,
}

impl<K: Hash + Eq, T: Slotted> Map<K, T> {
    pub(super) fn new(max_keys: u32) -> Self {
        Self { shards: (0..shards(max_keys)).map(|_| Mutex::new(Shard::new())).collect(), hand: AtomicUsize::new(0) }
    }

    /// The slot of that key, pinned; `None` if there is none for it.
    #[inline]
    pub(super) fn pin<Q>(&self, family: &'static Family<T>, hash: u64, key: &Q) -> Option<Pin<T>>
    where
        Q: Key<Kept = K> + ?Sized,
        K: Borrow<Q>,
    {
        let found = self.find(hash, key);
        found.or_else(|| self.insert(family, hash, key.keep()))
    }

    #[inline]
    pub(super) fn find<Q: Eq + ?Sized>(&self, hash: u64, key: &Q) -> Option<Pin<T>>
    where
        K: Borrow<Q>,
    {
        lock(self.shard(hash)).find(hash, key)
    }

    #[cold]
    fn insert(&self, family: &'static Family<T>, hash: u64, mut key: K) -> Option<Pin<T>> {
        let now = now();
        for _ in 0..TRIES {
            let placed = lock(self.shard(hash)).place(family, hash, key, now);
            match placed {
                Ok((pin, _dropped_here)) => return Some(pin),
                Err(refused) => key = refused,
            }
            if !family.vacate(now) {
                break;
            }
        }
        None
    }

    fn shard(&self, hash: u64) -> &Mutex<Shard<K, T>> {
        // Neither the bits by which a table places, nor those by which it compares.
        let bits = usize::try_from((hash >> 40) & u64::from(MOST_SHARDS - 1)).unwrap_or(0);
        &self.shards[bits & (self.shards.len() - 1)]
    }
}

impl<K: Hash + Eq + Send + 'static, T: Slotted> AnyMap<T> for Map<K, T> {
    fn vacate(&self, family: &Family<T>, now: Instant) -> bool {
        let next = self.hand.fetch_add(1, Ordering::Relaxed) & (self.shards.len() - 1);
        lock(&self.shards[next]).vacate(family, now)
    }

    fn change(&self, _family: &Family<T>, settings: T::Settings, _now: Instant) {
        self.each(&mut |slot| T::follow(slot, settings));
    }

    fn each(&self, see: &mut dyn FnMut(&T::Slot)) {
        for shard in &self.shards {
            let slots: Vec<_> = lock(shard).slots().collect();
            slots.into_iter().for_each(&mut *see);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::breaker::Breaker;
    use std::collections::HashSet;

    #[test]
    fn keys_are_spread_over_all_shards() {
        for (max_keys, shards) in [(1, 1), (1_000, 4), (100_000, 64), (10_000_000, 64)] {
            let map = Map::<u32, Breaker>::new(max_keys);
            let used: HashSet<_> = (0..64_u64).map(|bits| std::ptr::from_ref(map.shard(bits << 40)).addr()).collect();
            assert_eq!(used.len(), shards, "{max_keys}");
        }
    }
}
