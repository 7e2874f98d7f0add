//! A list that grows, and never moves or drops what it holds, so that it is read without a lock.

use crate::sync::OnceBox;

/// Segment `s` holds the places `2^s - 1` to `2^(s+1) - 2`.
#[derive(Debug)]
pub(super) struct Append<T>([OnceBox<Segment<T>>; 32]);

#[derive(Debug)]
struct Segment<T>(Vec<OnceBox<T>>);

impl<T> Append<T> {
    pub(super) const fn new() -> Self {
        Self([const { OnceBox::new() }; 32])
    }

    pub(super) fn get(&self, index: u32) -> Option<&T> {
        let (segment, offset) = place(index);
        self.0.get(segment)?.get()?.0.get(offset)?.get()
    }

    /// What the place holds from now on, if it held nothing.
    pub(super) fn set(&self, index: u32, value: T) -> Option<&T> {
        let (segment, offset) = place(index);
        let make = || Box::new(Segment((0..1_usize << segment).map(|_| OnceBox::new()).collect()));
        let place = self.0.get(segment)?.get_or_init(make).0.get(offset)?;
        Some(place.get_or_init(|| Box::new(value)))
    }

    /// From the first to the first that is missing.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        (0..).map_while(|index| self.get(index))
    }
}

fn place(index: u32) -> (usize, usize) {
    let number = u64::from(index) + 1;
    let segment = number.ilog2();
    (segment as usize, usize::try_from(number - (1 << segment)).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_kept_and_read_again() {
        let list = Append::new();
        for index in 0..100 {
            assert_eq!(list.get(index), None);
            assert_eq!(list.set(index, index), Some(&index));
            assert_eq!(list.set(index, 1_000), Some(&index), "a place is filled once");
        }
        assert!(list.iter().copied().eq(0..100));
    }
}
