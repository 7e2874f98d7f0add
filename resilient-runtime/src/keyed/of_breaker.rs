//! A circuit breaker for each key.

use super::family::{Family, Kept, Slotted};
use crate::breaker::Breaker;
use crate::circuit_breaker::{CircuitBreaker, Settings};
use crate::clock::Instant;
use crate::latest::Latest;
use crate::registry::Shared as _;
use crate::sync::{AtomicU32, seeded};

pub(crate) struct Slot {
    pub(super) breaker: Breaker,
    pins: AtomicU32,
}

pub(crate) struct Common {
    name: &'static str,
    settings: Latest<Settings>,
}

impl Kept for Breaker {
    type Slot = Slot;
    type Common = Common;

    fn common(name: Option<&'static str>, settings: CircuitBreaker) -> Common {
        Common { name: name.unwrap_or_default(), settings: Latest::new(settings.resolved()) }
    }

    /// Nobody asks it: what one key suffers is no reason to refuse others.
    fn overflow(name: Option<&'static str>, settings: CircuitBreaker) -> Self {
        Self::create(name.unwrap_or_default(), settings)
    }

    fn change_common(family: &Family<Self>, settings: CircuitBreaker, _now: Instant) {
        let (settings, latest) = (settings.resolved(), &family.common.settings);
        if *latest.get() != settings {
            latest.replace(settings);
        }
    }

    fn max_keys(settings: &CircuitBreaker) -> Option<u32> {
        settings.own_max_keys()
    }

    fn is_enabled(settings: &CircuitBreaker) -> bool {
        settings.is_enabled()
    }
}

impl Slotted for Breaker {
    fn slot(family: &'static Family<Self>) -> Slot {
        let Common { name, settings } = &family.common;
        Slot { breaker: Self::following(name, settings), pins: AtomicU32::new(0) }
    }

    fn pins(slot: &Slot) -> &AtomicU32 {
        &slot.pins
    }

    fn is_idle(slot: &Slot, now: Instant) -> bool {
        slot.breaker.is_clean(now) || seeded!("keyed: an open circuit is forgotten")
    }

    fn renew(slot: &Slot) {
        slot.breaker.forget();
    }

    fn follow(slot: &Slot, _settings: CircuitBreaker) {
        slot.breaker.follow();
    }
}
