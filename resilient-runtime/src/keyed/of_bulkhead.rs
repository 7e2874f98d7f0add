//! A bulkhead for each key.

use super::family::{Family, Kept, Slotted};
use crate::bulkhead::{Bulkhead, Concurrency};
use crate::clock::Instant;
use crate::registry::BulkheadSettings;
use crate::sync::{AtomicU32, Mutex, lock};

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
    type Common = Common;

    fn common(name: Option<&'static str>, settings: BulkheadSettings) -> Common {
        Common { name, limit: Mutex::new(settings.limit()) }
    }

    fn overflow(name: Option<&'static str>, settings: BulkheadSettings) -> Self {
        Self::new(name, settings.limit())
    }

    fn change_common(family: &Family<Self>, settings: BulkheadSettings, _now: Instant) {
        let limit = settings.limit();
        *lock(&family.common.limit) = limit;
        family.overflow.change_limit(limit);
    }

    fn wake(family: &'static Family<Self>) {
        family.each(|slot| slot.bulkhead.wake());
        family.overflow.wake();
    }

    fn max_keys(settings: &BulkheadSettings) -> Option<u32> {
        settings.max_keys
    }

    fn is_enabled(settings: &BulkheadSettings) -> bool {
        settings.is_enabled()
    }
}

impl Slotted for Bulkhead {
    fn slot(family: &'static Family<Self>) -> Slot {
        let Common { name, limit } = &family.common;
        Slot { bulkhead: Self::new(*name, *lock(limit)), pins: AtomicU32::new(0) }
    }

    fn pins(slot: &Slot) -> &AtomicU32 {
        &slot.pins
    }

    fn is_idle(slot: &Slot, _now: Instant) -> bool {
        slot.bulkhead.is_empty()
    }

    /// Empty is as new.
    fn renew(_slot: &Slot) {}

    fn follow(slot: &Slot, settings: BulkheadSettings) {
        slot.bulkhead.change_limit(settings.limit());
    }
}
