//! A name for one call that a server can recognise.

use crate::clock::nanos;
use crate::random;
use crate::sync::Ordering;
use crate::sync::fixed::AtomicU32;
use std::fmt;
use std::sync::LazyLock;
use std::time::UNIX_EPOCH;

/// One call's own name: the same in all its attempts, different for every call, and unguessable.
///
/// A server that remembers it does the work once, however often a lost answer made the client ask again: send it along, as payment
/// services want it in the header `Idempotency-Key`, which the IETF draft of that name (draft-ietf-httpapi-idempotency-key-header)
/// describes. It reads as a version 4 UUID: `6f2c1e0a-93b4-4d57-8a1e-0c5d7e9b2f43`. By the draft's letter the header holds it in
/// quotes, `format!("\"{key}\"")`; most services want it bare.
///
/// Its bits come from the operating system. Where that has none to give, which no system that has started does, they come from the
/// clock, the process and a counter: still different for every call, but no longer unguessable.
///
/// ```
/// # use resilient_runtime as resilient;
/// use resilient::{Policy, Rejected};
///
/// let policy = Policy::builder().retries(2).build()?;
/// let header = || policy.run_with_context(|cx| Ok::<_, Rejected>(format!("Idempotency-Key: {}", cx.idempotency_key())));
/// assert_ne!(header()?, header()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdempotencyKey(u128);

impl IdempotencyKey {
    pub(crate) fn new() -> Self {
        let mut bytes = [0; 16];
        let bits = if getrandom::fill(&mut bytes).is_ok() { u128::from_ne_bytes(bytes) } else { without_randomness() };
        Self::marked(bits)
    }

    /// With the marks of a version 4 UUID (RFC 9562, section 5.4).
    const fn marked(bits: u128) -> Self {
        Self(bits & !(0xf << 76) & !(0b11 << 62) | (0x4 << 76) | (0b10 << 62))
    }

    /// The same as a number, for a UUID type or a binary protocol.
    #[must_use]
    pub const fn as_u128(self) -> u128 {
        self.0
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bits, part) = (self.0, |from: u32, mask: u128| self.0 >> from & mask);
        let (first, last) = (bits >> 96, part(0, 0xffff_ffff_ffff));
        write!(formatter, "{first:08x}-{:04x}-{:04x}-{:04x}-{last:012x}", part(80, 0xffff), part(64, 0xffff), part(48, 0xffff))
    }
}

/// Clock, process and counter side by side, under a mask of the process.
#[cold]
#[expect(clippy::disallowed_methods, reason = "another number in each run of the process")]
fn without_randomness() -> u128 {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    static MASK: LazyLock<u128> = LazyLock::new(|| beside(random::number(), random::number()));
    let clock = nanos(UNIX_EPOCH.elapsed().unwrap_or_default());
    unlike_others(clock, std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed)) ^ *MASK
}

fn unlike_others(clock: u64, process: u32, counter: u32) -> u128 {
    beside(clock, u64::from(process) << 32 | u64::from(counter))
}

fn beside(high: u64, low: u64) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn it_reads_as_a_version_4_uuid() {
        assert_eq!(IdempotencyKey::marked(0).to_string(), "00000000-0000-4000-8000-000000000000");
        assert_eq!(IdempotencyKey::marked(u128::MAX).to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        let key = IdempotencyKey::marked(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        assert_eq!(key.to_string(), "01234567-89ab-4def-8123-456789abcdef");
        assert_eq!(key.as_u128(), 0x0123_4567_89ab_4def_8123_4567_89ab_cdef);
    }

    #[test]
    fn without_randomness_keys_still_differ() {
        let keys: HashSet<_> = (0..100_000).map(|_| IdempotencyKey::marked(without_randomness())).collect();
        assert_eq!(keys.len(), 100_000);
    }

    #[test]
    fn without_randomness_the_clock_is_in_the_key() {
        let halves: HashSet<_> = (0..100_000).map(|_| without_randomness() >> 64).collect();
        assert!(halves.len() > 1);
    }

    #[test]
    fn without_randomness_clock_process_and_counter_stand_side_by_side() {
        assert_eq!(unlike_others(1, 2, 3), 0x0000_0000_0000_0001_0000_0002_0000_0003);
        assert_eq!(unlike_others(u64::MAX, u32::MAX, u32::MAX), u128::MAX);
    }

    #[test]
    fn every_bit_that_is_not_a_mark_varies() {
        let keys: Vec<_> = (0..256).map(|_| IdempotencyKey::new().as_u128()).collect();
        let (ever, always) = keys.iter().fold((0, u128::MAX), |(ever, always), key| (ever | key, always & key));
        assert_eq!(ever & !always, !(0xf << 76 | 0b11 << 62));
    }
}
