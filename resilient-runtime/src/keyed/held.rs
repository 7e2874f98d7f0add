//! What a keyed call holds while it lasts.

use super::family::{Family, Pin, Slotted};
use super::key::{Key, Peeled, hash};
use super::of_bucket::KeyedBucket;
use crate::breaker::Breaker;
use crate::bucket::Bucket;
use crate::bulkhead::Bulkhead;
use crate::nesting;
use crate::plan::Plan;
use crate::wishes;
use std::fmt;

/// The families of one function.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Families {
    pub(crate) breaker: Option<&'static Family<Breaker>>,
    pub(crate) bucket: Option<&'static Family<Bucket>>,
    pub(crate) bulkhead: Option<&'static Family<Bulkhead>>,
}

impl Families {
    /// Those that configuration has not switched off.
    pub(crate) fn enabled(&self) -> Self {
        Self {
            breaker: self.breaker.filter(|family| family.is_enabled()),
            bucket: self.bucket.filter(|family| family.is_enabled()),
            bulkhead: self.bulkhead.filter(|family| family.is_enabled()),
        }
    }
}

/// The slots of one call's keys.
#[doc(hidden)]
pub struct Keyed {
    plan: &'static Plan<'static>,
    breaker: Option<Pin<Breaker>>,
    bucket: KeyedBucket,
    bulkhead: Option<Held>,
}

/// The key's own, or what all share that find no slot.
enum Held {
    Own(Pin<Bulkhead>),
    Overflow(&'static Bulkhead),
}

impl fmt::Debug for Keyed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Keyed").field("families", &self.plan.keyed).finish_non_exhaustive()
    }
}

impl Keyed {
    pub const BREAKER: u8 = 1;
    pub const BUCKET: u8 = 2;
    pub const BULKHEAD: u8 = 4;

    #[inline]
    #[must_use]
    pub fn new(plan: &'static Plan<'static>) -> Self {
        Self { plan, breaker: None, bucket: KeyedBucket::default(), bulkhead: None }
    }

    /// Finds that key's slots, of the kinds that it keys.
    #[inline]
    pub fn find<Q: Key + ?Sized>(&mut self, Peeled(key): Peeled<'_, Q>, kinds: u8) {
        let hash = hash(key);
        let Families { breaker, bucket, bulkhead } = self.plan.keyed;
        if let Some(family) = breaker.filter(|_| kinds & Self::BREAKER != 0) {
            self.breaker = self.pin(family, hash, key);
        }
        if let Some(family) = bucket.filter(|_| kinds & Self::BUCKET != 0) {
            // A call that is sure to start takes its token on the way, and need not come back.
            let starts = self.plan.starts_with_token && nesting::is_alone() && !wishes::is_scripted();
            if !self.bucket.find(family, hash, key, starts) {
                family.tell_overflow(self.plan.function);
            }
        }
        if let Some(family) = bulkhead.filter(|_| kinds & Self::BULKHEAD != 0) {
            let own = self.pin(family, hash, key);
            self.bulkhead = Some(own.map_or(Held::Overflow(&family.overflow), Held::Own));
        }
    }

    #[inline]
    fn pin<T: Slotted, Q: Key + ?Sized>(&self, family: &'static Family<T>, hash: u64, key: &Q) -> Option<Pin<T>> {
        let pinned = family.pin(hash, key);
        if pinned.is_none() {
            family.tell_overflow(self.plan.function);
        }
        pinned
    }

    /// The function's plan with these slots in it.
    #[inline]
    #[must_use]
    pub fn plan<'k>(&'k self, plan: &Plan<'k>) -> Plan<'k> {
        let mut plan = *plan;
        if let Some(breaker) = &self.breaker {
            plan.breaker = Some(&breaker.slot().breaker);
        }
        self.bucket.enter(&mut plan);
        match &self.bulkhead {
            Some(Held::Own(pin)) => plan.bulkhead = Some(&pin.slot().bulkhead),
            Some(Held::Overflow(bulkhead)) => plan.bulkhead = Some(bulkhead),
            None => {}
        }
        plan.open_gate();
        plan
    }
}
