//! The breakers of a name's keys, for those who look after them.

use super::family::{Family, Pin};
use super::key::Key;
use crate::breaker::Breaker;
use std::fmt;
use std::ops::Deref;

/// The circuit breakers that a name has for its keys: [`keyed_breakers`](crate::keyed_breakers).
#[derive(Clone, Copy, Debug)]
pub struct KeyedBreakers(pub(crate) &'static Family<Breaker>);

/// One key's [`Breaker`]. While this is held, the key keeps its place.
pub struct KeyedBreaker(Pin<Breaker>);

impl KeyedBreakers {
    /// That key's breaker. `None` if nothing is known of the key, and so its circuit is closed; also if functions give the key as
    /// another type, say `u64` and not `u32`. A `&str` and a `String` are the same key.
    #[must_use]
    pub fn get<Q: Key + ?Sized>(&self, key: &Q) -> Option<KeyedBreaker> {
        self.0.find(key).map(KeyedBreaker)
    }

    /// Closes every key's circuit, as [`Breaker::reset`] does for one.
    pub fn reset(&self) {
        self.0.each(|slot| slot.breaker.reset());
    }

    /// How many keys have a breaker now; at most `max_keys`.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len() as usize
    }

    /// Whether no key has one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Deref for KeyedBreaker {
    type Target = Breaker;

    fn deref(&self) -> &Breaker {
        &self.0.slot().breaker
    }
}

impl fmt::Debug for KeyedBreaker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}
