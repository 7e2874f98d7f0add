//! A value that can be replaced while others read it without a lock.

use crate::sync::{AtomicU32, OnceBox, Ordering, seeded};

/// Replaced values stay in an append-only table until the whole is dropped, so that a reader may keep what it was given.
#[derive(Debug)]
pub(crate) struct Latest<T> {
    first: T,
    newest: AtomicU32,
    later: OnceBox<Table<T>>,
}

/// A value of one's own, or one that is the same for many, who each take a newer one when they are ready for it.
#[derive(Debug)]
pub(crate) enum Source<T: 'static> {
    Own(Box<Latest<T>>),
    Common { values: &'static Latest<T>, taken: AtomicU32 },
}

impl<T> Source<T> {
    pub(crate) fn own(first: T) -> Self {
        Self::Own(Box::new(Latest::new(first)))
    }

    pub(crate) fn common(values: &'static Latest<T>) -> Self {
        Self::Common { values, taken: AtomicU32::new(values.version()) }
    }

    #[inline]
    pub(crate) fn get(&self) -> &T {
        match self {
            Self::Own(own) => own.get(),
            Self::Common { values, taken } => values.of_version(taken.load(Ordering::Acquire)),
        }
    }

    /// Takes the next value: one's own from `own`, a common one as it is by now. To be prevented by the caller: two at once.
    pub(crate) fn renew(&self, own: Option<T>) {
        if seeded!("latest: cached") {
            return;
        }
        match (self, own) {
            (Self::Own(latest), Some(value)) => latest.replace(value),
            (Self::Common { values, taken }, None) => {
                taken.swap(values.version(), Ordering::AcqRel);
            }
            (Self::Own(_), None) | (Self::Common { .. }, Some(_)) => {}
        }
    }

    /// The value that [`renew`](Self::renew) would take without one of one's own.
    pub(crate) fn newest(&self) -> &T {
        match self {
            Self::Own(own) => own.get(),
            Self::Common { values, .. } => values.get(),
        }
    }
}

/// Segment `s` holds the values `2^s` to `2^(s+1) - 1`, so that growing moves none.
#[derive(Debug)]
struct Table<T>([OnceBox<Segment<T>>; 32]);

#[derive(Debug)]
struct Segment<T>(Vec<OnceBox<T>>);

impl<T> Latest<T> {
    pub(crate) const fn new(first: T) -> Self {
        Self { first, newest: AtomicU32::new(0), later: OnceBox::new() }
    }

    #[inline]
    pub(crate) fn get(&self) -> &T {
        match self.newest.load(Ordering::Acquire) {
            0 => &self.first,
            newest => self.at(newest).unwrap_or(&self.first),
        }
    }

    /// The first value, whether or not another has replaced it.
    #[inline]
    pub(crate) fn original(&self) -> &T {
        &self.first
    }

    /// The value that had that number, which stays for ever.
    pub(crate) fn of_version(&self, version: u32) -> &T {
        if version == 0 { &self.first } else { self.at(version).unwrap_or(&self.first) }
    }

    /// Another number after each replacement.
    pub(crate) fn version(&self) -> u32 {
        self.newest.load(Ordering::Acquire)
    }

    /// Two replacements at once are the caller's to prevent: the second could be lost.
    #[expect(clippy::disallowed_methods, reason = "whoever filled the place is alone to say so")]
    pub(crate) fn replace(&self, value: T) {
        let index = self.newest.load(Ordering::Acquire).saturating_add(1);
        if seeded!("latest: number first") {
            self.newest.store(index, Ordering::Release);
        }
        let (segment, offset) = place(index);
        let table = self.later.get_or_init(|| Box::new(Table([const { OnceBox::new() }; 32])));
        let segment = table.0[segment].get_or_init(|| Box::new(Segment((0..1_usize << segment).map(|_| OnceBox::new()).collect())));
        if segment.0[offset].set(Box::new(value)).is_ok() {
            self.newest.store(index, if seeded!("latest: relaxed") { Ordering::Relaxed } else { Ordering::Release });
        }
    }

    #[cold]
    fn at(&self, index: u32) -> Option<&T> {
        let (segment, offset) = place(index);
        self.later.get()?.0[segment].get()?.0.get(offset)?.get()
    }
}

fn place(index: u32) -> (usize, usize) {
    let segment = index.max(1).ilog2();
    (segment as usize, (index - (1 << segment)) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_value_is_read_and_the_earlier_ones_stay() {
        let latest = Latest::new(0);
        let mut kept = vec![latest.get()];
        for value in 1..100 {
            latest.replace(value);
            kept.push(latest.get());
        }
        assert!(kept.into_iter().copied().eq(0..100));
    }
}
