//! A token bucket for each key, in one word for as long as nobody has to wait and no server asks for quiet. Then a full bucket
//! stands in for it, until the key is forgotten.

use super::append::Append;
use super::family::{Family, Kept, Pin};
use crate::bucket::{Bucket, REPLACED, carried, take};
use crate::clock::{Instant, now};
use crate::rate::{Interval, Rate};
use crate::registry::BucketSettings;
use crate::sync::{Mutex, lock};
use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

pub(crate) struct Slot {
    /// Until when what was taken is paid, as a bucket's own word; `REPLACED` while a full bucket stands in for it.
    paid_until: AtomicU64,
    /// The full bucket's number, counted from 1; 0 for none.
    full: AtomicU32,
    pins: AtomicU32,
}

pub(crate) struct Common {
    name: Option<&'static str>,
    full: Append<Bucket>,
    spare: Mutex<Spare>,
    /// Stands in a plan for a key's word: it never has a token, so that the word is asked.
    pub(super) front: Bucket,
}

struct Spare {
    rate: Rate,
    made: u32,
    /// Numbers of full buckets that stand in for no word.
    vacant: Vec<u32>,
}

impl Kept for Bucket {
    type Slot = Slot;
    type Terms = Interval;
    type Common = Common;
    const KNOWS_SINCE_WHEN: bool = true;

    fn common(name: Option<&'static str>, settings: BucketSettings) -> Common {
        let rate = settings.rate();
        let spare = Mutex::new(Spare { rate, made: 0, vacant: Vec::new() });
        Common { name, full: Append::new(), spare, front: Self::front(name, rate) }
    }

    fn terms(settings: BucketSettings) -> Interval {
        Interval::of(settings.rate())
    }

    fn overflow(name: Option<&'static str>, settings: BucketSettings) -> Self {
        Self::new(name, settings.rate())
    }

    fn slot(_family: &'static Family<Self>) -> Slot {
        Slot { paid_until: AtomicU64::new(0), full: AtomicU32::new(0), pins: AtomicU32::new(0) }
    }

    fn pins(slot: &Slot) -> &AtomicU32 {
        &slot.pins
    }

    fn is_idle(family: &Family<Self>, slot: &Slot, terms: &Interval, since: Instant) -> bool {
        match family.common.full_of(slot) {
            Some(full) => full.is_idle(since),
            None => slot.paid_until.load(Ordering::Relaxed) <= terms.units_at(since),
        }
    }

    fn clear(family: &Family<Self>, slot: &Slot) {
        let number = slot.full.swap(0, Ordering::Relaxed);
        if number != 0 {
            slot.paid_until.swap(0, Ordering::Relaxed);
            lock(&family.common.spare).vacant.push(number);
        }
    }

    fn change_common(family: &Family<Self>, settings: BucketSettings, now: Instant) {
        let (common, rate) = (&family.common, settings.rate());
        let mut spare = lock(&common.spare);
        spare.rate = rate;
        common.full.iter().for_each(|full| full.change_rate(rate, now));
        family.overflow.change_rate(rate, now);
    }

    /// Whoever uses the word counts by the old rate, so a full bucket stands in for it; an unused one is counted anew.
    fn adjust(family: &Family<Self>, slot: &Slot, is_pinned: bool, (old, new): (&Interval, &Interval), now: Instant) {
        if old == new {
            return;
        }
        if is_pinned {
            family.common.stand_in(slot, old, now);
        } else if family.common.full_of(slot).is_none() {
            let paid = slot.paid_until.load(Ordering::Relaxed);
            slot.paid_until.swap(carried(paid, old, new, now), Ordering::Relaxed);
        }
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
    fn full_of(&self, slot: &Slot) -> Option<&Bucket> {
        self.full.get(slot.full.load(Ordering::Acquire).checked_sub(1)?)
    }

    /// The full bucket in the word's place. Its number is there before the word says `REPLACED`, and who asks it before it has taken
    /// over what is owed waits for that.
    #[cold]
    fn stand_in(&self, slot: &Slot, terms: &Interval, now: Instant) -> Option<&Bucket> {
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
}

/// One key's bucket, in use.
pub(crate) struct KeyedBucket {
    pin: Pin<Bucket>,
    terms: Interval,
    family: &'static Family<Bucket>,
}

impl fmt::Debug for KeyedBucket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("KeyedBucket").field("name", &self.family.name()).finish_non_exhaustive()
    }
}

impl KeyedBucket {
    #[inline]
    pub(super) fn new(family: &'static Family<Bucket>, (pin, terms): (Pin<Bucket>, Interval)) -> Self {
        Self { pin, terms, family }
    }

    #[inline]
    pub(super) fn front(&self) -> &Bucket {
        &self.family.common.front
    }

    /// Whether there was a token for now, which is taken.
    #[inline]
    pub(crate) fn take_and_spend(&self, now: Instant) -> bool {
        let word = &self.pin.slot().paid_until;
        take(word, &self.terms, now).is_some() || (word.load(Ordering::Relaxed) == REPLACED && self.full().take_and_spend(now))
    }

    /// The bucket that can wait and pause.
    #[cold]
    pub(crate) fn full(&self) -> &Bucket {
        let common = &self.family.common;
        let slot = self.pin.slot();
        common.full_of(slot).or_else(|| common.stand_in(slot, &self.terms, now())).unwrap_or(&self.family.overflow)
    }
}
