//! A part of a ledger, as it is while its lock is held.
//!
//! A key that nobody uses is one word in the table: until when what was taken is paid. For whoever needs it longer than the lock is
//! held, the word moves into a slot, which stays where it is, and the table says which slot; when the last of them lets go, it moves
//! back. A slot is told from all others by its number, so nobody needs the key to find its entry again.

use super::cell::Cell;
use super::family::Family;
use super::of_bucket::Slot;
use super::table::{LARGEST_WORD, Table};
use crate::bucket::{Bucket, carried, pay};
use crate::clock::{Instant, Tick};
use crate::rate::Interval;
use crate::sync::{Ordering, seeded};
use std::borrow::Borrow;

/// Words from here on say which slot has the key's word.
const FIRST_SLOT: u64 = LARGEST_WORD - u32::MAX as u64;
const LARGEST_DEBT: u64 = FIRST_SLOT - 1;
/// Keys that are looked at for an idle one before a new one finds that there are too many.
const LOOKS: usize = 64;
/// Keys that are looked at for one that has long been idle before there is one more.
const EARLY_LOOKS: usize = 2;
/// Places that are looked at for each of them; some have no key.
const PLACES_PER_LOOK: usize = 4;
/// So long must a key have been idle, in nanoseconds, to be forgotten while there could be more.
const LONG: u64 = 1_000_000_000;
/// Forgotten keys whose pause is kept.
const ORPHANS: usize = 64;

#[repr(C)] // What a call in passing needs stands together, with the lock in front of it on one line of memory.
pub(super) struct Page<C> {
    table: Table<C>,
    terms: &'static Interval,
    /// How often a key has lost its place.
    changes: u64,
    /// Whether keys that differ have had the same hash.
    has_twins: bool,
    slots: Vec<Used>,
    /// Numbers of slots that no key has.
    vacant: Vec<u32>,
    /// Slots of keys that were forgotten while a call still used them, and whose server asked for quiet; by the key's hash.
    orphans: Vec<(u64, u32)>,
    hand: usize,
}

struct Used {
    slot: &'static Slot,
    pins: u32,
}

/// What a call remembers of a key that it does not hold.
#[derive(Clone, Copy)]
pub(super) struct Receipt {
    pub(super) hash: u64,
    place: usize,
    changes: u64,
}

/// A key that has lost its place, if it is worth dropping: without the lock.
pub(super) struct Forgotten<K>(Option<K>);

/// A pinned slot: its number, itself, and by which terms its word counts.
pub(super) type Pinned = (u32, &'static Slot, &'static Interval);

impl<C: Cell> Page<C> {
    pub(super) fn new(terms: &'static Interval) -> Self {
        Self {
            table: Table::default(),
            terms,
            changes: 0,
            has_twins: false,
            slots: Vec::new(),
            vacant: Vec::new(),
            orphans: Vec::new(),
            hand: 0,
        }
    }

    #[cfg(test)]
    pub(super) fn slots(&self) -> usize {
        self.slots.len()
    }

    /// A token for now, if the key is known, is in nobody's hands and has one. The clock is read while memory is waited for.
    #[inline]
    pub(super) fn pay<Q: Eq + ?Sized>(&mut self, hash: u64, key: &Q, clock: impl FnOnce() -> Tick) -> Option<Receipt>
    where
        C::Key: Borrow<Q>,
    {
        let place = self.table.find(hash, key).filter(|_| !self.has_twins)?;
        pay(self.table.word(place), self.terms, clock()).then_some(Receipt { hash, place, changes: self.changes })
    }

    /// The slot of that key, if it is known.
    pub(super) fn hold<Q: Eq + ?Sized>(&mut self, hash: u64, key: &Q) -> Option<Pinned>
    where
        C::Key: Borrow<Q>,
    {
        let place = self.table.find(hash, key)?;
        Some(self.hold_at(place))
    }

    fn hold_at(&mut self, place: usize) -> Pinned {
        let word = *self.table.word(place);
        let number = number_of(word).unwrap_or_else(|| {
            let number = self.vacant_slot(word);
            *self.table.word(place) = word_of(number);
            number
        });
        self.pin(number)
    }

    fn pin(&mut self, number: u32) -> Pinned {
        let used = &mut self.slots[number as usize];
        used.pins += 1;
        (number, used.slot, self.terms)
    }

    fn vacant_slot(&mut self, word: u64) -> u32 {
        let number = self.vacant.pop().unwrap_or_else(|| {
            self.slots.push(Used { slot: Box::leak(Box::default()), pins: 0 });
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        self.slots[number as usize].slot.paid_until.swap(word, Ordering::Relaxed);
        number
    }

    /// One lets go. The word moves back unless others hold it, or a full bucket stands in for it.
    pub(super) fn release(&mut self, family: &Family<Bucket>, hash: u64, number: u32) {
        let used = &mut self.slots[number as usize];
        used.pins -= 1;
        if used.pins > 0 {
            return;
        }
        let (is_full, word) = (used.slot.has_full(), used.slot.paid_until.load(Ordering::Relaxed));
        let place = self.table.find_word(hash, word_of(number));
        if let Some(place) = place.filter(|_| !is_full) {
            let word = if seeded!("keyed: debt left behind") { 0 } else { word };
            *self.table.word(place) = word.min(LARGEST_DEBT);
        }
        let is_kept = is_full && (place.is_some() || self.orphans.iter().any(|(_, orphan)| *orphan == number));
        if !is_kept {
            self.vacate_slot(family, number);
        }
    }

    fn vacate_slot(&mut self, family: &Family<Bucket>, number: u32) {
        family.common.part(self.slots[number as usize].slot);
        self.orphans.retain(|(_, orphan)| *orphan != number);
        self.vacant.push(number);
    }

    /// The slot of a key that was known. If it has been forgotten, one that it finds when it comes back, unless too many have one.
    pub(super) fn hold_late(&mut self, family: &Family<Bucket>, receipt: Receipt, now: Instant) -> Option<Pinned> {
        let Receipt { hash, place, changes } = receipt;
        let known = if changes == self.changes { Some(place) } else { self.table.find_hash(hash) };
        if let Some(place) = known {
            return Some(self.hold_at(place));
        }
        if let Some(number) = self.orphan(hash) {
            return Some(self.pin(number));
        }
        self.bury(family, now);
        (self.orphans.len() < ORPHANS).then(|| {
            let number = self.vacant_slot(0);
            self.orphans.push((hash, number));
            self.pin(number)
        })
    }

    fn orphan(&self, hash: u64) -> Option<u32> {
        self.orphans.iter().find(|(orphan, _)| *orphan == hash).map(|(_, number)| *number)
    }

    /// Orphans that owe nothing any more are not waited for.
    fn bury(&mut self, family: &Family<Bucket>, now: Instant) {
        let mut orphans = std::mem::take(&mut self.orphans);
        orphans.retain(|&(_, number)| {
            let is_owed = !self.is_idle(family, word_of(number), now);
            if !is_owed {
                self.vacate_slot(family, number);
            }
            is_owed
        });
        self.orphans = orphans;
    }

    /// A place for a key: its own, or a new one. The key comes back if there are too many, and what was in the way in its stead.
    pub(super) fn place(
        &mut self,
        family: &Family<Bucket>,
        hash: u64,
        key: C::Key,
        spare: &dyn Fn() -> C::Key,
        now: Instant,
    ) -> Result<(Pinned, Option<C::Key>), C::Key> {
        if !seeded!("keyed: not looked for again")
            && let Some(pinned) = self.hold(hash, &key)
        {
            return Ok((pinned, Some(key)));
        }
        let is_twin = self.table.find_hash(hash).is_some();
        self.changes += u64::from(self.table.make_room(spare));
        let long_ago = Instant::from_nanos(now.as_nanos().saturating_sub(LONG));
        let Forgotten(forgotten) = match self.forget_idle(family, long_ago, EARLY_LOOKS) {
            Some(forgotten) => forgotten,
            None if family.reserve() => Forgotten(None),
            None if family.is_over() => return Err(key),
            None => match self.forget_idle(family, now, LOOKS) {
                Some(forgotten) => forgotten,
                None => return Err(key),
            },
        };
        self.has_twins |= is_twin;
        self.bury(family, now);
        let place = self.table.insert(hash, key, 0);
        if let Some(number) = self.orphan(hash) {
            self.orphans.retain(|(_, orphan)| *orphan != number);
            *self.table.word(place) = word_of(number);
        }
        Ok((self.hold_at(place), forgotten))
    }

    /// Forgets a key that owes nothing, if one is found soon.
    pub(super) fn vacate(&mut self, family: &Family<Bucket>, now: Instant) -> Option<Forgotten<C::Key>> {
        let forgotten = self.forget_idle(family, now, LOOKS)?;
        family.give_back();
        Some(forgotten)
    }

    /// Forgets the next of some keys that has owed nothing since then, and hands it back if it is worth dropping.
    fn forget_idle(&mut self, family: &Family<Bucket>, since: Instant, looks: usize) -> Option<Forgotten<C::Key>> {
        let mut looks = looks.min(self.table.live());
        for _ in 0..(looks * PLACES_PER_LOOK).min(self.table.places()) {
            if looks == 0 {
                return None;
            }
            self.hand = if self.hand + 1 < self.table.places() { self.hand + 1 } else { 0 };
            let Some(word) = self.table.live_word(self.hand) else { continue };
            looks -= 1;
            if self.is_idle(family, word, since) {
                if let Some(number) = number_of(word) {
                    self.vacate_slot(family, number);
                }
                self.changes += 1;
                return Some(Forgotten(self.table.remove(self.hand)));
            }
        }
        None
    }

    /// Whether it is in nobody's hands and has held nothing since then that a new one would not.
    fn is_idle(&self, family: &Family<Bucket>, word: u64, since: Instant) -> bool {
        if seeded!("keyed: debt forgotten") {
            return true;
        }
        let Some(number) = number_of(word) else { return word <= self.terms.units_at(since) };
        let used = &self.slots[number as usize];
        let paid_until = used.slot.paid_until.load(Ordering::Relaxed);
        let is_idle = |full: &Bucket| full.is_idle(since);
        used.pins == 0 && family.common.full_of(used.slot).map_or(paid_until <= self.terms.units_at(since), is_idle)
    }

    /// A new rate holds for all keys, and what they owe is counted anew. Whoever uses a slot counts by the old rate, so a full bucket
    /// stands in for it.
    pub(super) fn change(&mut self, family: &Family<Bucket>, terms: &'static Interval, now: Instant) {
        if self.terms == terms {
            return;
        }
        for used in self.slots.iter().filter(|used| used.pins > 0 && !seeded!("keyed: no stand-in")) {
            family.common.stand_in(used.slot, self.terms, now);
        }
        for word in self.table.words().filter(|word| number_of(**word).is_none()) {
            *word = carried(*word, self.terms, terms, now).min(LARGEST_DEBT);
        }
        self.terms = terms;
    }
}

fn number_of(word: u64) -> Option<u32> {
    word.checked_sub(FIRST_SLOT).and_then(|number| u32::try_from(number).ok())
}

fn word_of(number: u32) -> u64 {
    FIRST_SLOT + u64::from(number)
}
