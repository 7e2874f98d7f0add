//! A part of a map, as it is while its lock is held: decides where a key lives, and runs no code of the key's but `Hash` and `Eq`.

use super::family::{Family, Pin, Slotted};
use super::index::Index;
use super::key::hash;
use crate::clock::Instant;
use crate::sync::{Ordering, seeded};
use std::borrow::Borrow;
use std::hash::Hash;

/// Slots are made in segments, twice as many each time up to this many, and live as long as their family, which is as long as the
/// process.
const LARGEST_SEGMENT: usize = 1_024;
const FIRST_SEGMENT: usize = 8;
/// Places in the segments that grow.
const GROWING: usize = LARGEST_SEGMENT - FIRST_SEGMENT;
const GROWING_SEGMENTS: usize = (LARGEST_SEGMENT / FIRST_SEGMENT).ilog2() as usize;
/// Slots that are looked at for an idle one before a new key finds all of them taken.
const LOOKS: usize = 64;
/// The pins of a slot that no key has.
const VACANT: u32 = u32::MAX;

pub(super) struct Shard<K, T: Slotted> {
    /// The places of the keys.
    index: Index,
    /// By place; at a vacant place still the key that was there last.
    keys: Vec<K>,
    slots: Vec<&'static [T::Slot]>,
    vacant: Vec<u32>,
    hand: usize,
}

/// A key's slot, and what was in the way and is to be dropped without the lock.
pub(super) type Placed<K, T> = (Pin<T>, Option<K>);

impl<K: Hash + Eq, T: Slotted> Shard<K, T> {
    pub(super) fn new() -> Self {
        Self { index: Index::default(), keys: Vec::new(), slots: Vec::new(), vacant: Vec::new(), hand: 0 }
    }

    /// The slot of that key, pinned.
    #[inline]
    pub(super) fn find<Q: Eq + ?Sized>(&self, hash: u64, key: &Q) -> Option<Pin<T>>
    where
        K: Borrow<Q>,
    {
        // The slot is looked at before the key is, so that the two are not waited for one after the other.
        let is_key = |place: u32| {
            let is_vacant = T::pins(self.slot(place)).load(Ordering::Relaxed) == VACANT;
            !is_vacant && self.keys.get(place as usize).is_some_and(|kept| kept.borrow() == key)
        };
        let place = self.index.find(hash, is_key)?;
        Some(Pin::new(self.slot(place)))
    }

    /// A slot for a key: its own, a new one, or one that holds nothing. The key comes back if all of them are taken.
    pub(super) fn place(&mut self, family: &'static Family<T>, hashed: u64, key: K, now: Instant) -> Result<Placed<K, T>, K> {
        if let Some(pin) = self.find(hashed, &key) {
            return Ok((pin, Some(key)));
        }
        self.grow_index();
        let place = self.make(family);
        let place = if family.is_over() { place } else { place.or_else(|| self.take_idle(now)) };
        match place {
            Some(Place::New) => Ok(self.settle_new(family, hashed, key)),
            Some(place) => Ok(self.settle(place, hashed, key)),
            None => Err(key),
        }
    }

    /// Makes a slot vacant that holds nothing, if one is found soon.
    pub(super) fn vacate(&mut self, family: &Family<T>, now: Instant) -> bool {
        let Some(Place::Old(place)) = self.take_idle(now) else { return false };
        T::pins(self.slot(place)).swap(VACANT, Ordering::Relaxed);
        self.vacant.push(place);
        family.give_back();
        true
    }

    /// All slots, also vacant ones and those that no key has had yet.
    pub(super) fn slots(&self) -> impl Iterator<Item = &'static T::Slot> {
        self.slots.iter().flat_map(|segment| segment.iter())
    }

    fn len(&self) -> u32 {
        u32::try_from(self.keys.len()).unwrap_or(u32::MAX)
    }

    #[inline]
    fn slot(&self, place: u32) -> &'static T::Slot {
        let (segment, offset) = segment_of(place as usize);
        &self.slots[segment][offset]
    }

    /// Room for one more in the index. The keys are asked for their hashes before anything is changed.
    fn grow_index(&mut self) {
        if !self.index.has_room() {
            let hashed: Vec<_> = self.index.iter().map(|place| (hash(&self.keys[place as usize]), place)).collect();
            self.index = Index::with(&hashed);
        }
    }

    /// The next of some slots that holds nothing; its key has lost it.
    fn take_idle(&mut self, now: Instant) -> Option<Place> {
        for _ in 0..LOOKS.min(self.keys.len()) {
            self.hand = (self.hand + 1) % self.keys.len();
            let place = u32::try_from(self.hand).ok()?;
            let slot = self.slot(place);
            let is_unused = T::pins(slot).load(Ordering::Acquire) == 0 || seeded!("keyed: evicted in use");
            if is_unused && T::is_idle(slot, now) && self.forget(place) {
                return Some(Place::Old(place));
            }
        }
        None
    }

    /// Takes a place out of the index. A key that hashes otherwise than before keeps its place.
    fn forget(&mut self, place: u32) -> bool {
        let hash = hash(&self.keys[place as usize]);
        self.index.remove(hash, place)
    }

    /// A place that nobody has, if the family may have one more.
    fn make(&mut self, family: &Family<T>) -> Option<Place> {
        family.reserve().then(|| self.vacant.pop().map_or(Place::New, Place::Old))
    }

    fn settle(&mut self, place: Place, hash: u64, key: K) -> Placed<K, T> {
        let Place::Old(place) = place else { unreachable!("a new place is settled otherwise") };
        T::renew(self.slot(place));
        let before = std::mem::replace(&mut self.keys[place as usize], key);
        let pin = self.enter(place, hash);
        (pin, Some(before))
    }

    fn settle_new(&mut self, family: &'static Family<T>, hash: u64, key: K) -> Placed<K, T> {
        let place = self.len();
        let (segment, _) = segment_of(self.keys.len());
        if segment == self.slots.len() {
            let length = FIRST_SEGMENT.checked_shl(u32::try_from(segment).unwrap_or(u32::MAX)).unwrap_or(LARGEST_SEGMENT);
            self.slots.push(Box::leak((0..length.clamp(FIRST_SEGMENT, LARGEST_SEGMENT)).map(|_| T::slot(family)).collect()));
        }
        self.keys.push(key);
        let pin = self.enter(place, hash);
        (pin, None)
    }

    fn enter(&mut self, place: u32, hash: u64) -> Pin<T> {
        self.index.insert(hash, place);
        let slot = self.slot(place);
        T::pins(slot).swap(0, Ordering::Relaxed);
        Pin::new(slot)
    }
}

/// Which segment a place is in, and where.
#[inline]
fn segment_of(place: usize) -> (usize, usize) {
    match place.checked_sub(GROWING) {
        None => {
            let number = place / FIRST_SEGMENT + 1;
            let segment = number.ilog2() as usize;
            (segment, place + FIRST_SEGMENT - (FIRST_SEGMENT << segment))
        }
        Some(beyond) => (GROWING_SEGMENTS + beyond / LARGEST_SEGMENT, beyond % LARGEST_SEGMENT),
    }
}

#[derive(Clone, Copy)]
enum Place {
    Old(u32),
    New,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_double_and_then_stay_as_large_as_they_are() {
        let mut expected = (0, 0);
        for place in 0..10_000 {
            assert_eq!(segment_of(place), expected, "{place}");
            let length = (FIRST_SEGMENT << expected.0.min(7)).min(LARGEST_SEGMENT);
            expected = if expected.1 + 1 == length { (expected.0 + 1, 0) } else { (expected.0, expected.1 + 1) };
        }
    }
}
