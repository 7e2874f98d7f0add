//! Places by the hashes of their keys: open addressing with linear probing, a word for each place.
//!
//! Not a table of keys, so that one line of memory is read for the place, and then the key and its slot at the same time.

const EMPTY: u32 = 0;
const GONE: u32 = 1;
/// A place is kept plus this, in the lower bits; above them is a tag of the hash.
const FIRST: u32 = 2;
const TAG: u32 = 24;
const PLACE: u32 = (1 << TAG) - 1;
const SMALLEST: usize = 8;

#[derive(Default)]
pub(super) struct Index {
    words: Box<[u32]>,
    /// Words that are not empty.
    used: usize,
}

impl Index {
    /// Whether one more fits; if not, it takes an [`Index::with`] more.
    pub(super) const fn has_room(&self) -> bool {
        (self.used + 1) * 4 <= self.words.len() * 3
    }

    /// One that holds these hashes and places, and at least half as many again.
    pub(super) fn with(places: &[(u64, u32)]) -> Self {
        let words = (places.len() * 2 + 1).next_power_of_two().max(SMALLEST);
        let mut index = Self { words: vec![EMPTY; words].into(), used: 0 };
        for &(hash, place) in places {
            index.insert(hash, place);
        }
        index
    }

    /// The place with that hash that is the right one.
    #[inline]
    pub(super) fn find(&self, hash: u64, is_right: impl Fn(u32) -> bool) -> Option<u32> {
        let at = self.position(hash, is_right)?;
        Some((self.words[at] & PLACE) - FIRST)
    }

    /// There must be room.
    pub(super) fn insert(&mut self, hash: u64, place: u32) {
        let free = self.probe(hash).find(|&at| self.words[at] <= GONE);
        if let Some(at) = free {
            self.used += usize::from(self.words[at] == EMPTY);
            self.words[at] = tag(hash) + ((place + FIRST) & PLACE);
        }
    }

    /// Whether it was there.
    pub(super) fn remove(&mut self, hash: u64, place: u32) -> bool {
        let Some(at) = self.position(hash, |other| other == place) else { return false };
        self.words[at] = GONE;
        true
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        self.words.iter().filter(|word| **word > GONE).map(|word| (word & PLACE) - FIRST)
    }

    #[inline]
    fn position(&self, hash: u64, is_right: impl Fn(u32) -> bool) -> Option<usize> {
        let tag = tag(hash);
        for at in self.probe(hash) {
            let word = self.words[at];
            if word == EMPTY {
                return None;
            }
            if word & !PLACE == tag && word != GONE && is_right((word & PLACE) - FIRST) {
                return Some(at);
            }
        }
        None
    }

    #[inline]
    fn probe(&self, hash: u64) -> impl Iterator<Item = usize> + use<> {
        let words = self.words.len();
        let mask = words.wrapping_sub(1);
        #[expect(clippy::cast_possible_truncation, reason = "the lower bits are as good as any")]
        let start = hash as usize;
        (0..words).map(move |step| start.wrapping_add(step) & mask)
    }
}

#[inline]
fn tag(hash: u64) -> u32 {
    let tag = (hash >> 56) as u32;
    tag << TAG
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn insert(index: &mut Index, hash: u64, place: u32, known: &HashMap<u32, u64>) {
        if !index.has_room() {
            *index = Index::with(&index.iter().map(|place| (known[&place], place)).collect::<Vec<_>>());
        }
        index.insert(hash, place);
    }

    #[test]
    fn it_finds_what_was_put_in_and_not_what_was_taken_out() {
        let (mut index, mut known) = (Index::default(), HashMap::new());
        assert_eq!(index.find(7, |_| true), None);
        for step in 0..20_000_u64 {
            let place = u32::try_from(step * 7 % 1_000).unwrap_or_default();
            // Few different hashes, and some of them with tags alone to tell them apart.
            let hash = ((step % 37) << 58) + step % 11;
            if let Some(hash) = known.remove(&place) {
                assert!(index.remove(hash, place));
                assert!(!index.remove(hash, place));
            }
            insert(&mut index, hash, place, &known);
            known.insert(place, hash);
        }
        assert_eq!(index.iter().count(), known.len());
        for (&place, &hash) in &known {
            assert_eq!(index.find(hash, |other| other == place), Some(place));
            assert_eq!(index.find(hash, |_| false), None);
        }
        assert!(index.words.len() <= 8 * known.len(), "places that are gone do not make it grow");
    }

    #[test]
    fn it_is_filled_to_three_quarters_and_grows_by_half_at_least() {
        for places in [0, 1, 2, 4, 5, 100] {
            let known: Vec<_> = (0..places).map(|place| (u64::from(place), place)).collect();
            let mut index = Index::with(&known);
            assert_eq!(index.used, known.len());
            let words = index.words.len();
            let more = (places..).take_while(|&place| {
                let has_room = index.has_room();
                if has_room {
                    index.insert(u64::from(place), place);
                }
                has_room
            });
            let all = places + u32::try_from(more.count()).unwrap();
            assert_eq!(all as usize, words * 3 / 4);
            assert!(2 * all >= 3 * places);
            assert!(index.remove(0, 0));
            index.insert(0, 0);
            assert_eq!(index.used, words * 3 / 4, "a place that is gone is used again");
        }
    }

    #[test]
    fn it_asks_after_those_with_the_same_tag_alone() {
        let mut index = Index::with(&[(1 << 56, 0), (2 << 56, 1), (0, 2)]);
        assert_eq!(index.find(2 << 56, |_| true), Some(1));
        assert_eq!(index.find(3 << 56, |_| true), None);
        assert!(index.remove(0, 2));
        assert_eq!(index.find(0, |_| true), None, "what is gone is asked after by nobody");
    }

    #[test]
    fn the_largest_place_keeps_its_tag() {
        let mut index = Index::with(&[]);
        for (hash, place) in [(u64::MAX, 10_000_000), (0, 0), (u64::MAX, 0)] {
            index.insert(hash, place);
            assert_eq!(index.find(hash, |found| found == place), Some(place));
        }
    }
}
