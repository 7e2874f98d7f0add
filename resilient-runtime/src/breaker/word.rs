//! The word that a healthy call reads: phase, streak, generation.
//!
//! ```text
//! 63 … 32     31                30 … 4   3              2 … 0
//! generation  of successes?     count    timed bodies?  phase
//! ```

use crate::sync::seeded;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Closed,
    Open,
    HalfOpen,
    ForcedOpen,
    Disabled,
}

/// Outcomes of one kind in a row, the latest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Streak {
    /// None: every success that there is to know of is known.
    Failures(u32),
    /// Successes since the last outcome that is filed in the window.
    Successes(u32),
}

const PHASE_BITS: u32 = 3;
const TIMED: u64 = 1 << PHASE_BITS;
/// What an ordinary closed circuit has nothing of.
const UNUSUAL: u64 = (1 << (PHASE_BITS + 1)) - 1;
const COUNT: u32 = PHASE_BITS + 1;
const COUNT_BITS: u32 = 27;
pub(super) const MOST: u32 = (1 << COUNT_BITS) - 1;
const OF_SUCCESSES: u64 = 1 << (COUNT + COUNT_BITS);
const STREAK: u64 = OF_SUCCESSES + ((MOST as u64) << COUNT);
const GENERATION: u32 = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word(u64);

impl Word {
    pub(super) const CLOSED: Self = Self(0);
    pub(super) const SHUT: Self = Self(Phase::ForcedOpen as u64);
    /// For a call that is admitted although it should not be: its result means nothing, as no circuit that was ever open is of the
    /// first generation.
    pub(super) const EXCUSED: Self = Self(Phase::Disabled as u64);

    #[inline]
    pub(super) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// As a closed circuit of that generation begins.
    pub(super) const fn closed(generation: u32) -> Self {
        Self((generation as u64) << GENERATION)
    }

    #[inline]
    pub(super) const fn generation(self) -> u32 {
        (self.0 >> GENERATION) as u32
    }

    pub(super) fn probe(self) -> Option<u32> {
        (self.phase() == Phase::HalfOpen).then(|| self.failures())
    }

    /// Closed, and nobody wants to know how long a body takes.
    #[inline]
    pub(super) const fn is_plainly_closed(self) -> bool {
        self.0 & UNUSUAL == Phase::Closed as u64
    }

    /// Whether a success would change it.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the streak ends the lower half")]
    pub(super) const fn has_streak(self) -> bool {
        self.0 as u32 > UNUSUAL as u32
    }

    #[inline]
    pub(super) const fn bits(self) -> u64 {
        self.0
    }

    #[inline]
    pub(super) const fn phase(self) -> Phase {
        match self.0 & ((1 << PHASE_BITS) - 1) {
            0 => Phase::Closed,
            1 => Phase::Open,
            2 => Phase::HalfOpen,
            3 => Phase::ForcedOpen,
            _ => Phase::Disabled,
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "27 bits")]
    pub(super) const fn streak(self) -> Streak {
        let count = (self.0 >> COUNT) as u32 & MOST;
        if self.0 & OF_SUCCESSES == 0 { Streak::Failures(count) } else { Streak::Successes(count) }
    }

    pub(super) const fn failures(self) -> u32 {
        match self.streak() {
            Streak::Failures(failures) => failures,
            Streak::Successes(_) => 0,
        }
    }

    pub(super) fn is_same_generation(self, other: Self) -> bool {
        self.generation() == other.generation() || seeded!("generations are not compared")
    }

    pub(super) fn with_streak(self, streak: Streak) -> Self {
        let (kind, count) = match streak {
            Streak::Failures(failures) => (0, failures),
            Streak::Successes(successes) => (OF_SUCCESSES, successes),
        };
        Self((self.0 & !STREAK) + kind + (u64::from(count.min(MOST)) << COUNT))
    }

    /// A call that asked now may look at the clock at its ends.
    pub(super) fn with_timed_bodies(self, is_timed: bool) -> Self {
        Self((self.0 & !TIMED) + if is_timed { TIMED } else { 0 })
    }

    /// The next generation, in that phase and without a streak.
    pub(super) fn next(self, phase: Phase) -> Self {
        let generation = (self.0 >> GENERATION).wrapping_add(1) << GENERATION;
        Self(generation + phase as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_do_not_touch_each_other() {
        let mut word = Word::CLOSED;
        for phase in [Phase::Open, Phase::HalfOpen, Phase::ForcedOpen, Phase::Disabled, Phase::Closed] {
            let next = word.next(phase);
            for streak in [Streak::Failures(MOST), Streak::Successes(MOST), Streak::Successes(0)] {
                let full = next.with_streak(streak).with_timed_bodies(true);
                assert_eq!((full.phase(), full.streak()), (phase, streak));
                assert!(full.is_same_generation(next) && !full.is_same_generation(word));
                assert!(full.has_streak() && !full.is_plainly_closed());
                assert_eq!(full.with_streak(Streak::Failures(0)).with_timed_bodies(false), next);
            }
            assert_eq!((next.has_streak(), next.is_plainly_closed()), (false, phase == Phase::Closed));
            word = next;
        }
        assert_eq!(word.with_streak(Streak::Failures(u32::MAX)).streak(), Streak::Failures(MOST));
    }

    #[test]
    fn generations_wrap_without_touching_the_rest() {
        let last = Word::from_bits(u64::MAX << GENERATION);
        assert_eq!(last.next(Phase::Open), Word::from_bits(1));
    }
}
