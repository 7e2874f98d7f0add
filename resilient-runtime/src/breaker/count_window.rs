//! The outcomes of the last calls, a bit for each.

use super::tally::{Counts, Outcome};

/// Nothing is allocated before the first failure, and never more than two bits for each call of the window.
#[derive(Debug)]
pub(super) struct CountWindow {
    size: usize,
    seen: usize,
    /// Where the next outcome goes, in the place of the oldest.
    next: usize,
    failed: Bits,
    slow: Bits,
}

/// Bits that know how many of them are set.
#[derive(Debug, Default)]
struct Bits {
    words: Vec<u64>,
    ones: usize,
}

impl CountWindow {
    pub(super) fn new(size: u32) -> Self {
        Self { size: size.max(1) as usize, seen: 0, next: 0, failed: Bits::default(), slow: Bits::default() }
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }

    pub(super) fn is_empty(&self) -> bool {
        self.seen == 0
    }

    /// That many successes, one after the other.
    pub(super) fn succeed(&mut self, successes: usize) {
        for (from, to) in self.oldest(successes) {
            self.failed.clear(from, to);
            self.slow.clear(from, to);
        }
        self.seen = self.size.min(self.seen + successes);
        self.next = (self.next + successes) % self.size;
    }

    pub(super) fn note(&mut self, outcome: Outcome) {
        let at = self.next;
        self.succeed(1);
        if outcome.is_failure {
            self.failed.set(at, self.size);
        }
        if outcome.is_slow {
            self.slow.set(at, self.size);
        }
    }

    /// What it would hold after that many successes more.
    pub(super) fn counts_after(&self, successes: usize) -> Counts {
        let left = |bits: &Bits| bits.ones - self.oldest(successes).map(|(from, to)| bits.ones_in(from, to)).iter().sum::<usize>();
        Counts {
            calls: self.size.min(self.seen + successes) as u64,
            failures: left(&self.failed) as u64,
            slow_calls: left(&self.slow) as u64,
        }
    }

    /// The places of the oldest outcomes: up to the end of the bits, and from their start.
    fn oldest(&self, outcomes: usize) -> [(usize, usize); 2] {
        let end = self.next + outcomes.min(self.size);
        [(self.next, end.min(self.size)), (0, end.saturating_sub(self.size))]
    }
}

impl Bits {
    fn set(&mut self, at: usize, size: usize) {
        if self.words.is_empty() {
            self.words = vec![0; size.div_ceil(64)];
        }
        self.words[at / 64] += 1 << (at % 64);
        self.ones += 1;
    }

    fn ones_in(&self, from: usize, to: usize) -> usize {
        if self.ones == 0 {
            return 0;
        }
        masks(from, to).map(|(at, mask)| (self.words[at] & mask).count_ones() as usize).sum()
    }

    fn clear(&mut self, from: usize, to: usize) {
        if self.ones == 0 {
            return;
        }
        for (at, mask) in masks(from, to) {
            self.ones -= (self.words[at] & mask).count_ones() as usize;
            self.words[at] &= !mask;
        }
    }
}

/// The words that hold the bits of a range, each with those of its bits that are meant.
fn masks(from: usize, to: usize) -> impl Iterator<Item = (usize, u64)> {
    (from / 64..to.div_ceil(64)).map(move |at| {
        let first = from.saturating_sub(at * 64);
        let behind = (at * 64 + 64).saturating_sub(to);
        (at, (u64::MAX << first) & (u64::MAX >> behind))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    /// Two and a half times around, with successes one by one and many at once, against a list of all outcomes.
    #[test]
    fn the_longest_window_fills_and_wraps_like_a_list() {
        const SIZE: u32 = 1_000_000;
        let (mut window, mut list, mut random) = (CountWindow::new(SIZE), VecDeque::new(), fastrand::Rng::with_seed(17));
        let (mut ended, mut failures, mut slow_calls) = (0_u64, 0_u64, 0_u64);
        while ended < u64::from(SIZE) * 5 / 2 {
            let successes = if random.u32(0..1_000) == 0 { random.usize(0..3_000) } else { 0 };
            let outcome = Outcome { is_failure: random.bool(), is_slow: random.u32(0..10) == 0 };
            window.succeed(successes);
            window.note(outcome);
            ended += successes as u64 + 1;
            list.extend(std::iter::repeat_n((false, false), successes));
            list.push_back((outcome.is_failure, outcome.is_slow));
            failures += u64::from(outcome.is_failure);
            slow_calls += u64::from(outcome.is_slow);
            while list.len() > SIZE as usize {
                let (was_failure, was_slow) = list.pop_front().unwrap();
                failures -= u64::from(was_failure);
                slow_calls -= u64::from(was_slow);
            }
            assert_eq!(window.counts_after(0), Counts { calls: list.len() as u64, failures, slow_calls }, "after {ended}");
        }
        let oldest = list.iter().take(777_777).filter(|(was_failure, _)| *was_failure).count();
        assert_eq!(window.counts_after(777_777).failures, failures - oldest as u64);
        assert_eq!(window.counts_after(SIZE as usize), Counts { calls: SIZE.into(), failures: 0, slow_calls: 0 });
    }

    #[test]
    fn a_range_of_bits_is_neither_more_nor_less() {
        const SIZE: usize = 200;
        let ends = [0, 1, 63, 64, 65, 127, 128, 150, 191, 192, 199, SIZE];
        for (from, to) in ends.into_iter().flat_map(|from| ends.map(|to| (from, to))) {
            let mut bits = Bits::default();
            (0..SIZE).for_each(|at| bits.set(at, SIZE));
            let meant = to.saturating_sub(from);
            assert_eq!(bits.ones_in(from, to), meant, "{from} to {to}");
            bits.clear(from, to);
            assert_eq!(
                (bits.ones, bits.ones_in(0, SIZE), bits.ones_in(from, to)),
                (SIZE - meant, SIZE - meant, 0),
                "{from} to {to}"
            );
        }
    }
}
