//! A bulkhead for each key.

use super::family::{Family, Kept};
use crate::bulkhead::{Bulkhead, Concurrency};
use crate::clock::Instant;
use crate::sync::{Mutex, lock};
use std::sync::atomic::AtomicU32;

pub(crate) struct Slot {
    pub(super) bulkhead: Bulkhead,
    pins: AtomicU32,
}

pub(crate) struct Common {
    name: Option<&'static str>,
    limit: Mutex<Concurrency>,
}

impl Kept for Bulkhead {
    type Slot = Slot;
    type Terms = ();
    type Common = Common;
    const KNOWS_SINCE_WHEN: bool = false;

    fn common(name: Option<&'static str>, limit: Concurrency) -> Common {
        Common { name, limit: Mutex::new(limit) }
    }

    fn terms(_limit: Concurrency) {}

    fn overflow(name: Option<&'static str>, limit: Concurrency) -> Self {
        Self::new(name, limit)
    }

    fn slot(family: &'static Family<Self>) -> Slot {
        let Common { name, limit } = &family.common;
        Slot { bulkhead: Self::new(*name, *lock(limit)), pins: AtomicU32::new(0) }
    }

    fn pins(slot: &Slot) -> &AtomicU32 {
        &slot.pins
    }

    fn is_idle(_family: &Family<Self>, slot: &Slot, (): &(), _since: Instant) -> bool {
        slot.bulkhead.is_empty()
    }

    fn change_common(family: &Family<Self>, limit: Concurrency, _now: Instant) {
        *lock(&family.common.limit) = limit;
        family.overflow.change_limit(limit);
    }

    fn follow(slot: &Slot, limit: Concurrency) {
        slot.bulkhead.change_limit(limit);
    }

    fn max_keys(limit: &Concurrency) -> Option<u32> {
        limit.own_max_keys()
    }
}
