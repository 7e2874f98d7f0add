//! Hashes keys fast, under a secret.

use std::hash::{BuildHasher, Hasher, RandomState};

/// What must not be known to who chooses keys.
pub(super) struct Secret {
    start: u64,
    factor: u64,
    last: u64,
}

impl Secret {
    /// From the standard library's randomness.
    pub(super) fn new() -> Self {
        let random = RandomState::new();
        // An odd factor folds no two numbers into one before the halves are joined.
        Self { start: random.hash_one(1), factor: random.hash_one(2) | 1, last: random.hash_one(3) | 1 }
    }
}

impl BuildHasher for Secret {
    type Hasher = Folding;

    #[inline]
    fn build_hasher(&self) -> Folding {
        Folding { state: self.start, factor: self.factor, last: self.last }
    }
}

/// Multiplies and joins the halves of the product: the folded multiply of A. Kaitchuck's `aHash` and O. Peters' `foldhash`.
pub(super) struct Folding {
    state: u64,
    factor: u64,
    last: u64,
}

#[inline]
fn folded(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    let half = |bits: u128| u64::try_from(bits & u128::from(u64::MAX)).unwrap_or_default();
    half(product) ^ half(product >> 64)
}

impl Folding {
    #[inline]
    fn fold(&mut self, number: u64) {
        self.state = folded(self.state ^ number, self.factor);
    }

    #[inline]
    fn fold_two(&mut self, one: u64, other: u64) {
        self.state = folded(self.state ^ one, self.factor ^ other);
    }
}

impl Hasher for Folding {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (pairs, rest) = bytes.as_chunks::<16>();
        for pair in pairs {
            let (one, other) = ends(pair);
            self.fold_two(one, other);
        }
        let (one, other) = ends(rest);
        self.fold_two(one, other);
        self.fold(bytes.len() as u64);
    }

    #[inline]
    fn write_u8(&mut self, number: u8) {
        self.fold(number.into());
    }

    #[inline]
    fn write_u16(&mut self, number: u16) {
        self.fold(number.into());
    }

    #[inline]
    fn write_u32(&mut self, number: u32) {
        self.fold(number.into());
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        self.fold(number);
    }

    #[inline]
    fn write_usize(&mut self, number: usize) {
        self.fold(number as u64);
    }

    #[inline]
    fn finish(&self) -> u64 {
        folded(self.state, self.last)
    }
}

/// The first and the last bytes, which overlap where there are fewer than 16.
#[inline]
fn ends(bytes: &[u8]) -> (u64, u64) {
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return (u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into());
    }
    let few = bytes.iter().fold(0, |few, byte| few << 8 | u64::from(*byte));
    (few, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::hash::Hash;

    const SECRET: Secret = Secret { start: 0x0123_4567_89ab_cdef, factor: 0xa076_1d64_78bd_642f, last: 0xe703_7ed1_a0b4_28db };

    fn spread(hashes: impl Iterator<Item = u64>, what: &str) {
        const PLACES: usize = 1 << 10;
        let hashes: Vec<_> = hashes.collect();
        assert_eq!(hashes.iter().collect::<HashSet<_>>().len(), hashes.len(), "{what}");
        for shift in [0, 7, 27, 54] {
            let mut places = vec![0_usize; PLACES];
            for hash in &hashes {
                places[usize::try_from((hash >> shift) % PLACES as u64).unwrap()] += 1;
            }
            // Each place has its share, give or take six standard deviations.
            let share = hashes.len() / PLACES;
            let most = places.iter().map(|held| held.abs_diff(share)).max();
            assert!(most.is_some_and(|most| most * most < 36 * share), "{what}, bits from {shift}: {most:?} of {share}");
        }
    }

    #[test]
    fn keys_that_are_alike_are_spread() {
        let of = |key: &dyn Fn(&mut Folding)| {
            let mut hasher = SECRET.build_hasher();
            key(&mut hasher);
            hasher.finish()
        };
        spread((0..1_u64 << 17).map(|key| of(&|hasher| key.hash(hasher))), "numbers");
        spread((0..1_u64 << 17).map(|key| of(&|hasher| (key << 32).hash(hasher))), "large numbers");
        spread((0..1_usize << 17).map(|key| of(&|hasher| key.hash(hasher))), "places");
        spread((0..=u16::MAX).map(|key| of(&|hasher| key.hash(hasher))), "short numbers");
        spread((0..=u16::MAX).map(|key| of(&|hasher| key.to_le_bytes().map(|byte| byte.hash(hasher)).len().hash(hasher))), "bytes");
        spread((0..1_u32 << 17).map(|key| of(&|hasher| (key >> 8, key & 0xff).hash(hasher))), "pairs");
        spread((0..1_u32 << 17).map(|key| of(&|hasher| format!("{key}").hash(hasher))), "digits");
        spread((0..1_u32 << 17).map(|key| of(&|hasher| format!("tenant-{key:08}").hash(hasher))), "names");
        spread((0..1_u32 << 17).map(|key| of(&|hasher| format!("{key:08}.a-longer-name.example.org").hash(hasher))), "hosts");
    }

    #[test]
    fn every_length_and_every_place_counts() {
        let hashes: HashSet<_> = (0..100).map(|length| SECRET.hash_one(vec![0_u8; length])).collect();
        assert_eq!(hashes.len(), 100);
        for length in 1..40 {
            for place in 0..length {
                let (zeros, mut one) = (vec![0_u8; length], vec![0_u8; length]);
                one[place] = 1;
                assert_ne!(SECRET.hash_one(zeros), SECRET.hash_one(one), "{place} of {length}");
            }
        }
    }

    #[test]
    fn secrets_differ() {
        assert_ne!(Secret::new().hash_one(7), Secret::new().hash_one(7));
    }
}
