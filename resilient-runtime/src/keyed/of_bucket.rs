//! A token bucket for each key: one word, for as long as nobody has to wait and no server asks for quiet. Then a full bucket stands
//! in for it, until the key is forgotten.

use super::append::Append;
use super::cell::{Cell, Owned, Plain};
use super::family::{Family, Kept};
use super::key::Key;
use super::ledger::{AnyLedger, Hold, Ledger};
use super::page::Receipt;
use crate::bucket::{Bucket, REPLACED, take};
use crate::clock::{Instant, now};
use crate::plan::Plan;
use crate::rate::{Interval, Rate};
use crate::registry::BucketSettings;
use crate::sync::{AtomicU32, AtomicU64, Mutex, Ordering, lock, seeded};
use std::borrow::Borrow;
use std::fmt;
use std::mem::needs_drop;
use std::sync::OnceLock;

/// A key's word, while calls use it.
#[derive(Default)]
pub(crate) struct Slot {
    /// Until when what was taken is paid, as a bucket's own word; `REPLACED` while a full bucket stands in for it.
    pub(super) paid_until: AtomicU64,
    /// The full bucket's number, counted from 1; 0 for none.
    full: AtomicU32,
}

impl Slot {
    pub(super) fn has_full(&self) -> bool {
        self.full.load(Ordering::Acquire) != 0
    }
}

pub(crate) struct Common {
    name: Option<&'static str>,
    full: Append<Bucket>,
    spare: Mutex<Spare>,
    /// Stands in a plan for a key's word: it never has a token, so that the word is asked.
    front: Bucket,
}

struct Spare {
    rate: Rate,
    made: u32,
    /// Numbers of full buckets that stand in for no word.
    vacant: Vec<u32>,
}

impl Kept for Bucket {
    type Slot = Slot;
    type Common = Common;

    fn common(name: Option<&'static str>, settings: BucketSettings) -> Common {
        let rate = settings.rate();
        let spare = Mutex::new(Spare { rate, made: 0, vacant: Vec::new() });
        Common { name, full: Append::new(), spare, front: Self::front(name, rate) }
    }

    fn overflow(name: Option<&'static str>, settings: BucketSettings) -> Self {
        Self::new(name, settings.rate())
    }

    fn change_common(family: &Family<Self>, settings: BucketSettings, now: Instant) {
        let (common, rate) = (&family.common, settings.rate());
        let mut spare = lock(&common.spare);
        spare.rate = rate;
        common.full.iter().for_each(|full| full.change_rate(rate, now));
        family.overflow.change_rate(rate, now);
    }

    fn wake(family: &'static Family<Self>) {
        family.common.full.iter().for_each(Self::wake);
        family.overflow.wake();
    }

    fn max_keys(settings: &BucketSettings) -> Option<u32> {
        settings.max_keys
    }

    fn is_enabled(settings: &BucketSettings) -> bool {
        settings.is_enabled()
    }
}

impl Common {
    pub(super) fn full_of(&self, slot: &Slot) -> Option<&Bucket> {
        self.full.get(slot.full.load(Ordering::Acquire).checked_sub(1)?)
    }

    /// The full bucket in the word's place. Its number is there before the word says `REPLACED`, and who asks it before it has taken
    /// over what is owed waits for that.
    #[cold]
    pub(super) fn stand_in(&self, slot: &Slot, terms: &Interval, now: Instant) -> Option<&Bucket> {
        let mut spare = lock(&self.spare);
        if let Some(full) = self.full_of(slot) {
            return Some(full);
        }
        let number = spare.vacant.pop().unwrap_or_else(|| {
            self.full.set(spare.made, Bucket::new(self.name, spare.rate));
            spare.made += 1;
            spare.made
        });
        let full = self.full.get(number - 1)?;
        full.take_over(terms, now, || {
            slot.full.swap(number, Ordering::Release);
            slot.paid_until.swap(REPLACED, Ordering::AcqRel)
        });
        Some(full)
    }

    /// A slot that nobody uses and that owes nothing goes without its full bucket.
    pub(super) fn part(&self, slot: &Slot) {
        if slot.has_full() {
            lock(&self.spare).vacant.push(slot.full.swap(0, Ordering::Relaxed));
        }
    }
}

/// One key's bucket, for the time of a call.
#[derive(Default)]
pub(crate) struct KeyedBucket {
    /// If a key has been sought.
    family: Option<&'static Family<Bucket>>,
    /// For the token that was taken when the key was found.
    paid: Option<(&'static dyn AnyLedger, Receipt)>,
    /// The key's slot: there from the beginning if nothing is paid, unless the key found no place; otherwise as soon as it is needed.
    hold: OnceLock<Hold>,
}

impl fmt::Debug for KeyedBucket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("KeyedBucket").field("family", &self.family).finish_non_exhaustive()
    }
}

impl KeyedBucket {
    /// Finds that key's, or what all share that find no place. If the call `starts` once it has a token, and asks for no other, it has
    /// it now if there is one. Answers whether the key has a place.
    #[inline]
    pub(super) fn find<Q: Key + ?Sized>(&mut self, family: &'static Family<Bucket>, hash: u64, key: &Q, starts: bool) -> bool {
        self.family = Some(family);
        if needs_drop::<Q::Kept>() {
            self.ask(family.map(Ledger::<Owned<Q::Kept>>::new), family, hash, key, starts)
        } else {
            self.ask(family.map(Ledger::<Plain<Q::Kept>>::new), family, hash, key, starts)
        }
    }

    #[inline]
    fn ask<Q, C>(&mut self, ledger: &'static Ledger<C>, family: &'static Family<Bucket>, hash: u64, key: &Q, starts: bool) -> bool
    where
        Q: Key<Kept = C::Key> + ?Sized,
        C: Cell<Key: Borrow<Q>>,
    {
        if starts && let Some(receipt) = ledger.pay(hash, key) {
            self.paid = Some((ledger, receipt));
            return true;
        }
        self.hold = ledger.hold(family, hash, key).map(OnceLock::from).unwrap_or_default();
        self.hold.get().is_some()
    }

    /// Whether its token is taken, and there is nothing left to ask.
    #[inline]
    pub(crate) fn is_paid(&self) -> bool {
        self.paid.is_some()
    }

    /// Puts itself into a function's plan.
    #[inline]
    pub(super) fn enter<'k>(&'k self, plan: &mut Plan<'k>) {
        let Some(family) = self.family else { return };
        if self.paid.is_some() {
            plan.keyed_bucket = Some(self);
        } else if self.hold.get().is_some() {
            (plan.bucket, plan.keyed_bucket) = (Some(&family.common.front), Some(self));
        } else {
            plan.bucket = Some(&family.overflow);
        }
    }

    /// Whether there was a token for now, which is taken.
    #[inline]
    pub(crate) fn take_and_spend(&self, now: Instant) -> bool {
        let Some(Hold { slot, terms, .. }) = self.hold.get() else { return false };
        let word = &slot.paid_until;
        let is_replaced = || (word.load(Ordering::Relaxed) == REPLACED) ^ seeded!("keyed: a stand-in is not asked");
        take(word, terms, now).is_some() || (is_replaced() && self.full().is_some_and(|full| full.take_and_spend(now)))
    }

    /// The bucket that can wait and pause.
    #[cold]
    pub(crate) fn full(&self) -> Option<&Bucket> {
        let (family, now) = (self.family?, now());
        if let Some((ledger, receipt)) = self.paid.filter(|_| self.hold.get().is_none()) {
            let _ = self.hold.set(ledger.hold_late(family, receipt, now)?);
        }
        let hold = self.hold.get()?;
        family.common.full_of(hold.slot).or_else(|| family.common.stand_in(hold.slot, hold.terms, now))
    }
}
