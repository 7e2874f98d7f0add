//! What a breaker knows while it is not closed.

#![deny(clippy::arithmetic_side_effects)]

use super::word::MOST;
use crate::backoff::between;
use crate::circuit_breaker::Settings;
use crate::clock::Instant;
use crate::sync::seeded;

/// No lease grows beyond this by expiring, so that a service that once hung is asked again soon after it is well.
const LONGEST_GROWN_LEASE: u64 = 3_600_000_000_000;

#[derive(Debug, Default)]
pub(super) struct Recovery {
    /// Times that the circuit opened since it was last closed.
    trips: u32,
    successes: u32,
    expired: u32,
    last_probe: u32,
    probes: Vec<Probe>,
}

#[derive(Debug)]
struct Probe {
    id: u32,
    lease_ends: Instant,
    /// Its call is over, and the service asked us to stay away: its place is kept, and its end is no sign of hanging.
    is_held: bool,
}

impl Recovery {
    /// How long to stay open: doubled for each failed recovery, capped, and up to a tenth shorter.
    pub(super) fn open_for(&mut self, settings: &Settings, random: u64) -> u64 {
        let doubled = 1_u64.checked_shl(self.trips).map_or(u64::MAX, |factor| settings.recovery_timeout.saturating_mul(factor));
        let longest = doubled.min(settings.max_recovery_timeout);
        self.trips = self.trips.saturating_add(1);
        between(longest.saturating_sub(longest / 10), longest, random)
    }

    /// The circuit is half open from now on.
    pub(super) fn begin(&mut self) {
        self.successes = 0;
        self.expired = 0;
        self.probes.clear();
    }

    /// A probe's number, if one of the places is free or its lease has run out.
    pub(super) fn admit(&mut self, now: Instant, lease: u64, places: usize) -> Option<u32> {
        self.expire(now);
        if self.probes.len() >= places {
            return None;
        }
        // Numbered within the bits that a word has for a count; no two of the few at a time can share a number.
        let id = self.last_probe.wrapping_add(1) & MOST;
        self.last_probe = id;
        if seeded!("the admitted are not counted") {
            return Some(id);
        }
        self.probes.push(Probe { id, lease_ends: now.plus(self.grown(lease)), is_held: false });
        Some(id)
    }

    fn expire(&mut self, now: Instant) {
        let hung = self.probes.iter().filter(|probe| probe.lease_ends <= now && !probe.is_held).count();
        self.probes.retain(|probe| probe.lease_ends > now);
        self.expired = self.expired.saturating_add(u32::try_from(hung).unwrap_or(u32::MAX));
    }

    fn grown(&self, lease: u64) -> u64 {
        let factor = 1_u64.checked_shl(self.expired).unwrap_or(u64::MAX);
        lease.saturating_mul(factor).min(LONGEST_GROWN_LEASE.max(lease))
    }

    /// While all places are taken, nobody needs to ask before the first lease runs out.
    pub(super) fn shut_until(&self, places: usize) -> Instant {
        let first = self.probes.iter().map(|probe| probe.lease_ends).min();
        first.filter(|_| self.probes.len() >= places).unwrap_or(Instant::from_nanos(0))
    }

    /// Frees a probe's place; whether it still had one.
    pub(super) fn finish(&mut self, probe: u32) -> bool {
        let before = self.probes.len();
        self.probes.retain(|other| other.id != probe);
        self.probes.len() < before || seeded!("a probe counts without a place")
    }

    pub(super) fn abandon(&mut self, probe: u32) {
        self.finish(probe);
    }

    pub(super) fn hold(&mut self, probe: u32, until: Instant) {
        if let Some(probe) = self.probes.iter_mut().find(|other| other.id == probe) {
            probe.lease_ends = until;
            probe.is_held = true;
        }
    }

    pub(super) fn count_success(&mut self) -> u32 {
        self.successes = self.successes.saturating_add(1);
        self.successes
    }
}
