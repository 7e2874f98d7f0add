//! Values that are replaced while others read them.

use super::{assert_caught, beside, end, explore, explore_some};
use crate::latest::{Latest, Source};
use std::sync::Arc;

fn read_twice(latest: &Latest<u32>) {
    let (first, second) = (*latest.get(), *latest.get());
    assert!(first <= second, "{second} after {first}");
    assert!(second <= latest.version(), "a value without its number");
}

/// The third value needs a segment of its own, so both ways of growing are gone.
fn readers() {
    explore_some(300, 3, || {
        let latest = Arc::new(Latest::new(0));
        let writer = {
            let latest = Arc::clone(&latest);
            beside(move || (1..=2).for_each(|value| latest.replace(value)))
        };
        let reader = {
            let latest = Arc::clone(&latest);
            beside(move || read_twice(&latest))
        };
        end(writer);
        end(reader);
        assert_eq!((*latest.get(), latest.version()), (2, 2));
    });
}

#[test]
fn nobody_reads_an_older_value_after_a_newer() {
    readers();
}

#[test]
fn seeded_a_number_that_is_shown_before_its_value_is_caught() {
    assert_caught("latest: number first", readers);
}

/// Only loom knows weak memory.
#[cfg(interleaved = "loom")]
#[test]
fn seeded_a_number_that_does_not_bring_its_value_along_is_caught() {
    assert_caught("latest: relaxed", readers);
}

/// Whoever has heard of a value by other ways reads it, too.
fn told_by_others() {
    explore(100, || {
        let latest = Arc::new(Latest::new(0));
        let writer = {
            let latest = Arc::clone(&latest);
            beside(move || latest.replace(1))
        };
        let teller = {
            let latest = Arc::clone(&latest);
            beside(move || latest.version())
        };
        let version = end(teller);
        assert!(*latest.get() >= version);
        end(writer);
        assert_eq!(*latest.get(), 1);
    });
}

#[test]
fn who_was_told_of_a_value_reads_it() {
    told_by_others();
}

#[test]
fn seeded_a_number_that_is_told_before_its_value_is_caught() {
    assert_caught("latest: number first", told_by_others);
}

/// A value that is the same for many: each takes it when it is told to, and keeps what it has until then.
fn common() {
    explore_some(100, 3, || {
        let values: &'static Latest<u32> = Box::leak(Box::new(Latest::new(0)));
        let source = Arc::new(Source::common(values));
        let writer = {
            let source = Arc::clone(&source);
            beside(move || {
                values.replace(1);
                assert_eq!((*source.get(), *source.newest()), (0, 1), "not before it is told");
                source.renew(None);
                assert_eq!(*source.get(), 1);
            })
        };
        let reader = {
            let source = Arc::clone(&source);
            beside(move || {
                let (first, second) = (*source.get(), *source.get());
                assert!(first <= second && second <= *source.newest());
            })
        };
        end(writer);
        end(reader);
        assert_eq!(*source.get(), 1);
    });
}

#[test]
fn a_common_value_is_taken_when_it_is_due_and_read_in_order() {
    common();
}

#[test]
fn seeded_a_reader_that_keeps_the_first_value_is_caught() {
    assert_caught("latest: cached", common);
}
