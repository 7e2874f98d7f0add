//! A word for each key, and both beside each other: open addressing with linear probing.
//!
//! One line of memory is read for most keys, where a table with control bytes or an index takes two, one after the other. A key's
//! home is its hash as a share of the length, so that any length will do and growing reads and writes in order.

use super::cell::Cell;
use std::borrow::Borrow;

/// The words of places that no key has, or no key has any more.
const VACANT: u64 = u64::MAX;
const GONE: u64 = u64::MAX - 1;
/// No key's word is larger.
pub(super) const LARGEST_WORD: u64 = u64::MAX - 2;
const SMALLEST: usize = 8;

#[repr(C)]
pub(super) struct Table<C> {
    entries: Box<[Entry<C>]>,
    live: usize,
    /// Places that are not vacant.
    used: usize,
}

pub(super) struct Entry<C> {
    pub(super) word: u64,
    cell: C,
}

impl<C> Entry<C> {
    fn is_live(&self) -> bool {
        self.word <= LARGEST_WORD
    }
}

impl<C> Default for Table<C> {
    fn default() -> Self {
        Self { entries: Box::default(), live: 0, used: 0 }
    }
}

impl<C: Cell> Table<C> {
    pub(super) fn live(&self) -> usize {
        self.live
    }

    pub(super) fn places(&self) -> usize {
        self.entries.len()
    }

    #[inline]
    pub(super) fn word(&mut self, place: usize) -> &mut u64 {
        &mut self.entries[place].word
    }

    /// The word at that place, if a key has it.
    pub(super) fn live_word(&self, place: usize) -> Option<u64> {
        self.entries.get(place).filter(|entry| entry.is_live()).map(|entry| entry.word)
    }

    pub(super) fn words(&mut self) -> impl Iterator<Item = &mut u64> {
        self.entries.iter_mut().filter(|entry| entry.is_live()).map(|entry| &mut entry.word)
    }

    /// Where that key is.
    #[inline]
    pub(super) fn find<Q: Eq + ?Sized>(&self, hash: u64, key: &Q) -> Option<usize>
    where
        C::Key: Borrow<Q>,
    {
        self.probe(hash, |entry| entry.cell.holds(hash, key) && entry.word != GONE)
    }

    /// Where a key with that hash is.
    pub(super) fn find_hash(&self, hash: u64) -> Option<usize> {
        self.probe(hash, |entry| entry.is_live() && entry.cell.hash() == hash)
    }

    /// Where the key with that hash is that has that word.
    pub(super) fn find_word(&self, hash: u64, word: u64) -> Option<usize> {
        self.probe(hash, |entry| entry.word == word)
    }

    #[inline]
    fn probe(&self, hash: u64, mut is_right: impl FnMut(&Entry<C>) -> bool) -> Option<usize> {
        let mut place = home(hash, self.entries.len());
        loop {
            let Some(entry) = self.entries.get(place) else {
                // Behind the last place comes the first; some place is vacant, or there is none at all.
                if self.entries.is_empty() {
                    return None;
                }
                place = 0;
                continue;
            };
            if entry.word == VACANT {
                return None;
            }
            if is_right(entry) {
                return Some(place);
            }
            place += 1;
        }
    }

    /// Room for one more; answers whether others have moved for it. Keys are asked for their hashes and made before anything is
    /// changed; `spare` is any key.
    pub(super) fn make_room(&mut self, spare: &dyn Fn() -> C::Key) -> bool {
        if (self.used + 1) * 4 <= self.entries.len() * 3 {
            return false;
        }
        let hashes: Vec<_> = self.entries.iter().filter(|entry| entry.is_live()).map(|entry| entry.cell.hash()).collect();
        let length = ((self.live + 1) * 2).max(SMALLEST);
        let larger: Box<[_]> = (0..length).map(|_| Entry { word: VACANT, cell: C::empty(spare) }).collect();
        let smaller = std::mem::replace(&mut self.entries, larger);
        self.used = self.live;
        for (entry, hash) in smaller.into_iter().filter(Entry::is_live).zip(hashes) {
            let place = self.free(hash);
            self.entries[place] = entry;
        }
        true
    }

    /// A key that is not there; there must be room.
    pub(super) fn insert(&mut self, hash: u64, key: C::Key, word: u64) -> usize {
        let place = self.free(hash);
        let entry = &mut self.entries[place];
        self.used += usize::from(entry.word == VACANT);
        self.live += 1;
        *entry = Entry { word, cell: C::of(hash, key) };
        place
    }

    /// Forgets the key at that place, which is handed back if it is worth dropping.
    pub(super) fn remove(&mut self, place: usize) -> Option<C::Key> {
        let length = self.entries.len();
        let before = |place: usize| if place == 0 { length - 1 } else { place - 1 };
        self.live -= 1;
        self.entries[place].word = GONE;
        let key = self.entries[place].cell.clear();
        // Nobody looks for anything beyond a vacant place.
        let mut last = place;
        while self.entries[(last + 1) % length].word == VACANT && self.entries[last].word == GONE {
            self.entries[last].word = VACANT;
            self.used -= 1;
            last = before(last);
        }
        key
    }

    fn free(&self, hash: u64) -> usize {
        let mut place = home(hash, self.entries.len());
        while self.entries[place].is_live() {
            place = if place + 1 == self.entries.len() { 0 } else { place + 1 };
        }
        place
    }
}

/// The upper half of the hash, as a share of the length; the lower half chooses the table.
#[inline]
fn home(hash: u64, length: usize) -> usize {
    (((hash >> 32) * length as u64) >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::super::cell::{Owned, Plain};
    use super::*;
    use std::collections::HashMap;

    /// Hashes of which few differ, and some at the very end.
    fn hash_of(key: u64) -> u64 {
        (key % 7) << 61 | u64::MAX >> 5
    }

    fn churn<C: Cell<Key = u64>>() {
        let (mut table, mut known) = (Table::<C>::default(), HashMap::new());
        assert_eq!(table.find(7, &7), None);
        for step in 0..20_000_u64 {
            let key = step * step % 251;
            if let Some(place) = table.find(hash_of(key), &key) {
                assert_eq!(known.remove(&key), Some(*table.word(place)));
                table.remove(place);
            } else {
                table.make_room(&|| key);
                table.insert(hash_of(key), key, step);
                assert_eq!(known.insert(key, step), None);
            }
            assert_eq!(table.find(hash_of(key), &key).is_some(), known.contains_key(&key));
        }
        assert_eq!((table.live(), table.words().count()), (known.len(), known.len()));
        for (key, word) in known {
            assert_eq!(table.find(hash_of(key), &key).map(|place| *table.word(place)), Some(word));
            assert_eq!(table.find_word(hash_of(key), word), table.find(hash_of(key), &key));
        }
        assert!(table.places() <= 2 * 252, "keys that are gone do not make it grow");
    }

    #[test]
    fn it_finds_what_was_put_in_and_not_what_was_taken_out() {
        // What a plain cell knows of a hash it asks of the key, so its hashes are true ones.
        churn::<Owned<u64>>();
        let mut table = Table::<Plain<u64>>::default();
        for key in 0..10_000 {
            table.make_room(&|| key);
            table.insert(super::super::key::hash(&key), key, key);
        }
        for key in 0..10_000 {
            let hash = super::super::key::hash(&key);
            assert_eq!(table.find_hash(hash), table.find(hash, &key));
            let place = table.find(hash, &key).unwrap_or(usize::MAX);
            assert_eq!((*table.word(place), table.find(hash, &10_001)), (key, None));
            if key % 3 > 0 {
                table.remove(place);
            }
        }
        let left = (0..10_000_u64).filter(|key| table.find(super::super::key::hash(key), key).is_some());
        assert!(left.eq((0..10_000).step_by(3)));
    }

    #[test]
    fn a_table_that_is_emptied_is_as_good_as_new() {
        let mut table = Table::<Owned<u64>>::default();
        for round in 0..1_000 {
            for key in 0..5 {
                table.make_room(&|| key);
                table.insert(hash_of(key), key, round);
            }
            for key in 0..5 {
                let place = table.find(hash_of(key), &key);
                assert_eq!(place.and_then(|place| table.remove(place)), Some(key));
            }
        }
        assert_eq!((table.places(), table.live, table.used), (SMALLEST, 0, 0));
    }
}
