//! All keys of one type in one family of buckets.

use super::cell::Cell;
use super::family::{AnyMap, Family};
use super::key::Key;
use super::map::{MOST_SHARDS, TRIES, shards};
use super::of_bucket::Slot;
use super::page::{Page, Pinned, Receipt};
use crate::bucket::Bucket;
use crate::clock::{Instant, now, tick};
use crate::rate::Interval;
use crate::registry::BucketSettings;
use crate::sync::{AtomicUsize, Mutex, Ordering, lock, seeded};
use std::borrow::Borrow;

pub(super) struct Ledger<C> {
    pages: Box<[Shelf<C>]>,
    hand: AtomicUsize,
}

#[repr(align(64))] // No two locks on one line of memory.
struct Shelf<C>(Mutex<Page<C>>);

/// A ledger whose keys' type is not known.
pub(super) trait AnyLedger: Send + Sync {
    /// The slot of a key that paid; `None` if it was forgotten since, and so were too many others.
    fn hold_late(&'static self, family: &'static Family<Bucket>, receipt: Receipt, now: Instant) -> Option<Hold>;
    fn release(&self, family: &Family<Bucket>, hash: u64, number: u32);
}

/// Keeps a slot with its key.
pub(super) struct Hold {
    ledger: &'static dyn AnyLedger,
    family: &'static Family<Bucket>,
    hash: u64,
    number: u32,
    pub(super) slot: &'static Slot,
    pub(super) terms: &'static Interval,
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.ledger.release(self.family, self.hash, self.number);
    }
}

impl<C: Cell> Ledger<C> {
    pub(super) fn new(max_keys: u32, settings: BucketSettings) -> Self {
        let terms = terms(settings);
        Self { pages: (0..shards(max_keys)).map(|_| Shelf(Mutex::new(Page::new(terms)))).collect(), hand: AtomicUsize::new(0) }
    }

    /// A token for now, if the key is known, is in nobody's hands and has one.
    #[inline]
    pub(super) fn pay<Q: Eq + ?Sized>(&self, hash: u64, key: &Q) -> Option<Receipt>
    where
        C::Key: Borrow<Q>,
    {
        lock(self.page(hash)).pay(hash, key, tick)
    }

    /// The slot of that key; `None` if there is no place for it.
    pub(super) fn hold<Q>(&'static self, family: &'static Family<Bucket>, hash: u64, key: &Q) -> Option<Hold>
    where
        Q: Key<Kept = C::Key> + ?Sized,
        C::Key: Borrow<Q>,
    {
        let held = lock(self.page(hash)).hold(hash, key);
        let pinned = held.or_else(|| self.place(family, hash, key))?;
        Some(self.keep(family, hash, pinned))
    }

    #[cold]
    fn place<Q>(&self, family: &Family<Bucket>, hash: u64, key: &Q) -> Option<Pinned>
    where
        Q: Key<Kept = C::Key> + ?Sized,
    {
        let now = now();
        let mut kept = key.keep();
        for _ in 0..TRIES {
            // Where there are too many, as there may be fewer than before, a new key takes the place of more than one.
            if family.is_over() && !seeded!("keyed: too many stay") {
                family.vacate(now);
            }
            let placed = lock(self.page(hash)).place(family, hash, kept, &|| key.keep(), now);
            match placed {
                Ok((pinned, _dropped_here)) => return Some(pinned),
                Err(refused) => kept = refused,
            }
            if !family.vacate(now) {
                break;
            }
        }
        None
    }

    fn keep(&'static self, family: &'static Family<Bucket>, hash: u64, (number, slot, terms): Pinned) -> Hold {
        Hold { ledger: self, family, hash, number, slot, terms }
    }

    #[inline]
    fn page(&self, hash: u64) -> &Mutex<Page<C>> {
        let bits = usize::try_from(hash & u64::from(MOST_SHARDS - 1)).unwrap_or(0);
        &self.pages[bits & (self.pages.len() - 1)].0
    }
}

impl<C: Cell> AnyLedger for Ledger<C> {
    fn hold_late(&'static self, family: &'static Family<Bucket>, receipt: Receipt, now: Instant) -> Option<Hold> {
        let pinned = lock(self.page(receipt.hash)).hold_late(family, receipt, now);
        pinned.map(|pinned| self.keep(family, receipt.hash, pinned))
    }

    fn release(&self, family: &Family<Bucket>, hash: u64, number: u32) {
        lock(self.page(hash)).release(family, hash, number);
    }
}

impl<C: Cell> AnyMap<Bucket> for Ledger<C> {
    fn vacate(&self, family: &Family<Bucket>, now: Instant) -> bool {
        let next = self.hand.fetch_add(1, Ordering::Relaxed) & (self.pages.len() - 1);
        let forgotten = lock(&self.pages[next].0).vacate(family, now);
        forgotten.is_some()
    }

    fn change(&self, family: &Family<Bucket>, settings: BucketSettings, now: Instant) {
        let terms = terms(settings);
        for Shelf(page) in &self.pages {
            lock(page).change(family, terms, now);
        }
    }
}

/// Calls that are under way may still count by terms that have been replaced.
fn terms(settings: BucketSettings) -> &'static Interval {
    Box::leak(Box::new(Interval::of(settings.rate())))
}

#[cfg(test)]
mod tests {
    use super::super::cell::Plain;
    use super::super::key::hash;
    use super::*;
    use crate::rate::Rate;
    use std::collections::HashSet;

    /// They stayed as many as they were before: each new key took the place of one.
    #[test]
    fn keys_that_are_too_many_since_fewer_are_allowed_go_as_others_come() {
        let settings = |max_keys| BucketSettings::of(Some(Rate::per_second(1)), None).with_max_keys(Some(max_keys));
        let family = Family::<Bucket>::new(None, settings(10));
        let ledger = family.map(Ledger::<Plain<u32>>::new);
        let hold = |key: u32| ledger.hold(family, hash(&key), &key);
        let in_use: Vec<_> = (0..10).map(hold).collect();
        family.change(settings(2));
        assert_eq!(family.len(), 10);
        drop(in_use);
        (10..20).for_each(|key| assert!(hold(key).is_some()));
        assert_eq!(family.len(), 2);
    }

    #[test]
    fn keys_are_spread_over_all_pages() {
        for (max_keys, pages) in [(1, 1), (1_000, 4), (100_000, 64), (10_000_000, 64)] {
            let settings = BucketSettings::of(Some(Rate::per_second(1)), None);
            let ledger = Ledger::<Plain<u32>>::new(max_keys, settings);
            let used: HashSet<_> = (0..64).map(|hash| std::ptr::from_ref(ledger.page(hash)).addr()).collect();
            assert_eq!(used.len(), pages, "{max_keys}");
        }
    }

    #[test]
    fn slots_that_nobody_holds_any_more_are_used_again() {
        let family = Family::<Bucket>::new(None, BucketSettings::of(Some(Rate::per_second(1)), None));
        let ledger = family.map(Ledger::<Plain<u32>>::new);
        for key in 0..1_000_u32 {
            assert!(ledger.hold(family, hash(&key), &key).is_some());
        }
        let slots = || ledger.pages.iter().map(|Shelf(page)| lock(page).slots()).max();
        assert_eq!(slots(), Some(1));
    }

    #[test]
    fn a_slot_is_its_keys_until_the_last_who_has_it_lets_go() {
        let settings = BucketSettings::of(Some(Rate::per_second(1)), None).with_max_keys(Some(10));
        let family = Family::<Bucket>::new(None, settings);
        let ledger = family.map(Ledger::<Plain<u32>>::new);
        let hold = |key: u32| ledger.hold(family, hash(&key), &key).unwrap();
        let (first, second) = (hold(1), hold(1));
        assert_eq!(first.number, second.number);
        drop(first);
        let other = hold(2);
        assert_ne!(other.number, second.number);
        drop(second);
        assert_ne!(hold(1).number, other.number);
    }

    /// Who has lost its place while a call of it is under way.
    #[test]
    fn so_many_keys_are_found_again_that_were_forgotten_and_no_more() {
        const FOUND: usize = 64;
        let fast = Rate::per_second(1_000_000_000).burst(1);
        let family = Family::<Bucket>::new(None, BucketSettings::of(Some(fast), None).with_max_keys(Some(1)));
        let ledger = family.map(Ledger::<Plain<u32>>::new);
        let receipts: Vec<_> = (0..=66_u32)
            .map(|key| {
                drop(ledger.hold(family, hash(&key), &key).expect("the last is idle"));
                ledger.pay(hash(&key), &key).expect("there is a token")
            })
            .collect();
        let held: Vec<_> = receipts[..=FOUND].iter().map(|receipt| ledger.hold_late(family, *receipt, now())).collect();
        assert_eq!(held.iter().filter(|held| held.is_some()).count(), FOUND);
        assert!(ledger.hold_late(family, receipts[0], now()).is_some(), "who has been found is found by others of its key");
        drop(held);
        assert!(ledger.hold_late(family, receipts[FOUND], now()).is_some());
    }
}
