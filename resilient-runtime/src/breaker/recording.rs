//! What a result does to a breaker.
//!
//! Successes in a row are counted in the word, by compare-and-swap and without the lock; a failure and a slow call take the lock,
//! file those successes in the window before themselves, and decide. A success that would change nothing writes nothing: a window
//! of calls that were all successes has a word without a streak.

use super::recovery::Recovery;
use super::tally::{Cause, Counts, Outcome, Tally, cause};
use super::word::{MOST, Phase, Streak, Word};
use super::{Breaker, Change, Records};
use crate::circuit_breaker::Watch;
use crate::clock::Instant;
use crate::sync::{Ordering, lock, seeded};
use crate::window::Extent;

impl Breaker {
    /// A success that says more than that all is as it was.
    #[cold]
    pub(super) fn succeeded(&self, word: Word, started: Instant, clock: impl FnOnce() -> Instant, random: impl FnOnce() -> u64) {
        let watch = self.settings.get().watch;
        let now = if watch.is_some_and(|watch| watch.needs_clock()) { clock() } else { started };
        if watch.is_some_and(|watch| watch.is_slow(started, now)) {
            let outcome = Outcome { is_failure: false, is_slow: true };
            self.record(|breaker, records| breaker.take(records, word, outcome, now, random()));
        } else if word.probe().is_some() {
            self.record(|breaker, records| breaker.probe_succeeded(records, word));
        } else {
            self.count_success(word, watch, now);
        }
    }

    #[cold]
    pub(super) fn failed(&self, word: Word, started: Instant, now: Instant, random: u64) {
        let settings = self.settings.get();
        if word.probe().is_none() && settings.watch.is_none() {
            let counted = self.exchange(word, one_more_failure).map(failures_after);
            let Some(failures) = counted.filter(|failures| *failures >= settings.failure_threshold) else { return };
            return self.record(|breaker, records| {
                let failures = if seeded!("an event counts again") { breaker.failures() } else { failures };
                let counts = Counts { calls: 0, failures: u64::from(failures), slow_calls: 0 };
                breaker.open(records, word, now, random, Cause::FailuresInARow, counts)
            });
        }
        let is_slow = settings.watch.is_some_and(|watch| watch.is_slow(started, now));
        self.record(|breaker, records| breaker.take(records, word, Outcome { is_failure: true, is_slow }, now, random));
    }

    /// What the window holds now.
    pub(super) fn counted(&self, now: Instant) -> Counts {
        let records = lock(&self.records);
        records.tally.counts(self.load().streak(), now)
    }

    fn record(&self, change: impl FnOnce(&Self, &mut Records) -> Option<Change>) {
        let mut records = lock(&self.records);
        let change = change(self, &mut records);
        self.tell(records, change);
    }

    /// Takes what speaks against the service, and opens if that is too much.
    fn take(&self, records: &mut Records, word: Word, outcome: Outcome, now: Instant, random: u64) -> Option<Change> {
        if word.probe().is_some() {
            let cause = if outcome.is_failure { Cause::FailedProbe } else { Cause::SlowProbe };
            let counts = Counts { calls: 1, failures: u64::from(outcome.is_failure), slow_calls: u64::from(outcome.is_slow) };
            return self.open(records, word, now, random, cause, counts);
        }
        let early = seeded!("a streak is read, then ended").then(|| self.load().streak());
        let change = if outcome.is_failure { one_more_failure } else { |_| Streak::Successes(0) };
        let late = seeded!("a second trip").then_some(Streak::Successes(0));
        let before = self.exchange(word, change).or(late)?;
        let before = early.unwrap_or(before);
        records.tally.file(before);
        records.tally.note(outcome, now);
        self.note_slice(&records.tally);
        let failures = if outcome.is_failure { failures_after(before) } else { 0 };
        let mut counts = records.tally.counts(Streak::Successes(0), now);
        let cause = cause(self.settings.get(), failures, counts)?;
        if cause == Cause::FailuresInARow {
            counts.failures = counts.failures.max(u64::from(failures));
        }
        self.open(records, word, now, random, cause, counts)
    }

    fn open(&self, records: &mut Records, word: Word, now: Instant, random: u64, cause: Cause, counts: Counts) -> Option<Change> {
        let is_late = !self.load().is_same_generation(word) || word.probe().is_some_and(|probe| !records.recovery.finish(probe));
        if is_late && !seeded!("a second trip") {
            return None;
        }
        let open_for = records.recovery.open_for(self.settings.get(), random);
        self.publish(records, Phase::Open, Some(now.plus(open_for)));
        Some(Change::Opened { cause, counts, open_for })
    }

    fn probe_succeeded(&self, records: &mut Records, word: Word) -> Option<Change> {
        let probe = word.probe()?;
        if !self.load().is_same_generation(word) || !records.recovery.finish(probe) {
            return None;
        }
        let settings = self.settings.get();
        if records.recovery.count_success() < settings.success_threshold {
            self.shut(records.recovery.shut_until(settings.half_open_calls));
            return None;
        }
        records.recovery = Recovery::default();
        self.publish(records, Phase::Closed, None);
        Some(Change::Closed)
    }

    fn count_success(&self, word: Word, watch: Option<Watch>, now: Instant) {
        let early = seeded!("a success counts on what was").then(|| self.load().streak());
        match watch.map(|watch| watch.window) {
            None => self.exchange(word, |_| Streak::Failures(0)),
            Some(Extent::Calls(size)) => self.exchange(word, |streak| match early.unwrap_or(streak) {
                Streak::Failures(0) => streak,
                Streak::Failures(_) => all_clear_at(size, 1),
                Streak::Successes(successes) => all_clear_at(size, successes + 1),
            }),
            Some(Extent::Time(_)) => {
                self.begin_slice(word, now);
                self.exchange(word, |streak| match streak {
                    Streak::Failures(_) => Streak::Successes(1),
                    Streak::Successes(successes) => Streak::Successes(successes.saturating_add(1)),
                })
            }
        };
    }

    /// Files the successes of a slice that is over. Whoever holds the lock has done so, or a success of this moment counts for the
    /// slice before: nobody waits here.
    fn begin_slice(&self, word: Word, now: Instant) {
        if now.as_nanos() < self.slice_ends.load(Ordering::Acquire) && !is_full(self.load()) {
            return;
        }
        let Ok(mut records) = self.records.try_lock() else { return };
        let file = |streak| {
            if matches!(streak, Streak::Successes(_)) && !seeded!("a slice is filed twice") { Streak::Successes(0) } else { streak }
        };
        let Some(before) = self.exchange(word, file) else { return };
        records.tally.file(before);
        if let Tally::Time(window) = &mut records.tally {
            window.roll(now);
        }
        self.note_slice(&records.tally);
    }

    fn note_slice(&self, tally: &Tally) {
        if let Tally::Time(window) = tally {
            self.slice_ends.swap(window.slice_ends().as_nanos(), Ordering::AcqRel);
        }
    }

    /// Changes the streak of that generation, while it is closed; the streak before, or `None` if it is over.
    fn exchange(&self, word: Word, change: impl Fn(Streak) -> Streak) -> Option<Streak> {
        let mut current = self.load();
        loop {
            if !current.is_same_generation(word) || current.phase() != Phase::Closed {
                return None;
            }
            let next = current.with_streak(change(current.streak()));
            if next == current {
                return Some(current.streak());
            }
            if seeded!("a count is read, then stored") {
                self.replace(next);
                return Some(current.streak());
            }
            match self.word.compare_exchange_weak(current.bits(), next.bits(), Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(current.streak()),
                Err(actual) => current = Word::from_bits(actual),
            }
        }
    }
}

fn one_more_failure(streak: Streak) -> Streak {
    Streak::Failures(failures_after(streak))
}

fn failures_after(streak: Streak) -> u32 {
    match streak {
        Streak::Failures(failures) => MOST.min(failures + 1),
        Streak::Successes(_) => 1,
    }
}

/// So many successes in a row that a window of calls holds nothing else are no streak any more.
fn all_clear_at(size: u32, successes: u32) -> Streak {
    if successes >= size { Streak::Failures(0) } else { Streak::Successes(successes) }
}

fn is_full(word: Word) -> bool {
    word.streak() == Streak::Successes(MOST)
}
