//! Randomness that nobody's safety hangs on: for jitter, and for what must not fall together.

use std::cell::Cell;
use std::hash::{BuildHasher as _, RandomState};

thread_local! {
    static STATE: Cell<u64> = Cell::new(seed());
}

/// A number that may be any, from a generator of the thread's own, which the standard library's randomness seeds.
#[cold]
pub(crate) fn number() -> u64 {
    // A thread that is ending has none any more.
    STATE.try_with(next).unwrap_or_else(|_| seed())
}

/// From here on the numbers of this thread follow from the seed, or no longer.
#[cfg(feature = "testing")]
pub(crate) fn start_from(given: Option<u64>) {
    // A guard may be dropped while its thread ends.
    let _ = STATE.try_with(|state| state.set(given.unwrap_or_else(seed)));
}

fn seed() -> u64 {
    RandomState::new().hash_one(0)
}

/// `SplitMix64` (G. Steele, D. Lea and C. Flood: Fast splittable pseudorandom number generators).
fn next(state: &Cell<u64>) -> u64 {
    let now = state.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
    state.set(now);
    let mixed = (now ^ now >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_bit_is_set_as_often_as_not() {
        const NUMBERS: u32 = 10_000;
        let state = Cell::new(7);
        let mut set = [0_u32; 64];
        for number in (0..NUMBERS).map(|_| next(&state)) {
            set.iter_mut().enumerate().for_each(|(bit, times)| *times += u32::from(number >> bit & 1 == 1));
        }
        // Six standard deviations.
        assert!(set.iter().all(|times| times.abs_diff(NUMBERS / 2) < 300), "{set:?}");
    }

    #[test]
    fn it_is_the_generator_that_it_says() {
        let state = Cell::new(1_234_567);
        let numbers = [(); 3].map(|()| next(&state));
        assert_eq!(numbers, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    #[cfg(feature = "testing")]
    fn from_the_same_start_the_same_numbers_follow_until_there_is_none() {
        let numbers = |given| {
            start_from(given);
            [(); 3].map(|()| number())
        };
        assert_eq!(numbers(Some(7)), numbers(Some(7)));
        assert_ne!(numbers(Some(7)), numbers(Some(8)));
        assert_ne!(numbers(None), numbers(None));
    }

    #[test]
    fn threads_have_their_own() {
        let numbers = || (0..100).map(|_| number()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(numbers)).collect();
        let all: HashSet<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(all.len(), 400);
    }
}
