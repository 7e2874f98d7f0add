//! Refusals are told of now and then, with their number.

/// At most once in this time.
const SUMMARY: u64 = 10_000_000_000;

/// How often something happened since it was last told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Summary {
    count: u64,
    next: u64,
}

impl Summary {
    pub(crate) const NOTHING: Self = Self { count: 0, next: 0 };

    pub(crate) const fn told(now: u64) -> Self {
        Self { count: 0, next: now.saturating_add(SUMMARY) }
    }

    pub(super) fn count(&mut self, now: u64) -> Option<u64> {
        self.count += 1;
        (now >= self.next).then(|| {
            let count = self.count;
            *self = Self::told(now);
            count
        })
    }
}
