//! The outcomes of the last while, in slices.

use super::tally::{Counts, Outcome};
use crate::clock::Instant;

const SLICES: u64 = 10;
type Slices = [Counts; 10];

/// The newest slice is still being filled, so that an outcome leaves between nine and ten slices after it came in.
#[derive(Debug)]
pub(super) struct TimeWindow {
    /// How long a slice is, in nanoseconds.
    slice: u64,
    /// The newest slice, counted from the beginning of time.
    newest: u64,
    slices: Slices,
}

impl TimeWindow {
    pub(super) fn new(nanos: u64) -> Self {
        Self { slice: (nanos / SLICES).max(1), newest: 0, slices: Slices::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slices.iter().all(|slice| slice.calls == 0)
    }

    /// Successes that came in while the newest slice was that which it is.
    pub(super) fn succeed(&mut self, successes: u32) {
        self.newest().calls += u64::from(successes);
    }

    pub(super) fn note(&mut self, outcome: Outcome) {
        let newest = self.newest();
        newest.calls += 1;
        newest.failures += u64::from(outcome.is_failure);
        newest.slow_calls += u64::from(outcome.is_slow);
    }

    /// Makes the slice of that moment the newest; time that goes back changes nothing.
    pub(super) fn roll(&mut self, now: Instant) {
        let newest = self.newest.max(now.as_nanos() / self.slice);
        for passed in 1..=SLICES.min(newest - self.newest) {
            self.slices[place(self.newest + passed)] = Counts::default();
        }
        self.newest = newest;
    }

    /// When the newest slice ends.
    pub(super) fn slice_ends(&self) -> Instant {
        Instant::from_nanos((self.newest + 1).saturating_mul(self.slice))
    }

    /// What it holds at that moment, with successes that belong to the newest slice and are not filed.
    pub(super) fn counts_at(&self, now: Instant, successes: u32) -> Counts {
        let passed = (now.as_nanos() / self.slice).saturating_sub(self.newest);
        let kept = SLICES - SLICES.min(passed);
        let held = (0..kept).filter_map(|back| self.newest.checked_sub(back)).map(|slice| self.slices[place(slice)]);
        let mut counts = held.fold(Counts::default(), Counts::plus);
        counts.calls += if kept > 0 { u64::from(successes) } else { 0 };
        counts
    }

    fn newest(&mut self) -> &mut Counts {
        &mut self.slices[place(self.newest)]
    }
}

fn place(slice: u64) -> usize {
    usize::try_from(slice % SLICES).unwrap_or(0)
}
