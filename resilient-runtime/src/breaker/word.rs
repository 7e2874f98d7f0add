//! The word that a healthy call reads: phase, consecutive failures, generation.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Closed,
    Open,
    HalfOpen,
    ForcedOpen,
    Disabled,
}

const PHASE_BITS: u32 = 3;
const FAILURE_BITS: u32 = 29;
const FAILURES: u64 = (1 << FAILURE_BITS) - 1;
const GENERATION: u32 = PHASE_BITS + FAILURE_BITS;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word(u64);

impl Word {
    pub(super) const CLOSED: Self = Self(0);

    #[inline]
    pub(super) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Whether it is the word of a half-open circuit, and so of a probe.
    #[inline]
    pub(super) const fn is_of_probe(self) -> bool {
        matches!(self.phase(), Phase::HalfOpen)
    }

    pub(super) fn probe(self) -> Option<u32> {
        self.is_of_probe().then_some(self.failures())
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

    #[inline]
    pub(super) const fn failures(self) -> u32 {
        ((self.0 >> PHASE_BITS) & FAILURES) as u32
    }

    pub(super) const fn is_same_generation(self, other: Self) -> bool {
        self.0 >> GENERATION == other.0 >> GENERATION
    }

    pub(super) fn with_failures(self, failures: u32) -> Self {
        let others = self.0 & !(FAILURES << PHASE_BITS);
        Self(others + (u64::from(failures).min(FAILURES) << PHASE_BITS))
    }

    /// The next generation, in that phase and without failures.
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
            let next = word.next(phase).with_failures(u32::MAX);
            assert_eq!((next.phase(), next.failures()), (phase, (1 << 29) - 1));
            assert!(!next.is_same_generation(word));
            assert_eq!(next.with_failures(0), word.next(phase));
            word = next;
        }
    }

    #[test]
    fn generations_wrap_without_touching_the_rest() {
        let last = Word::from_bits(u64::MAX << GENERATION);
        assert_eq!(last.next(Phase::Open), Word::from_bits(1));
    }
}
