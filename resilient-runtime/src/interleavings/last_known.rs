//! The last good value.

use super::{assert_caught, beside, end, explore};
use crate::last_known::LastKnown;
use crate::testing::TurnedClock;
use std::sync::Arc;
use std::time::Duration;

/// What is found later was not kept earlier, and is whole.
fn stores() {
    explore(500, || {
        let clock = TurnedClock::start();
        let (hands, start) = (clock.handle(), clock.elapsed());
        let known = Arc::new(LastKnown::new());
        known.remember((0, 0));
        let keepers = [1, 2].map(|value| {
            let known = Arc::clone(&known);
            beside(move || {
                TurnedClock::enter(hands).advance(Duration::from_secs(1));
                known.remember((value, value));
            })
        });
        let recall = move |known: &LastKnown| {
            let elapsed = || TurnedClock::enter(hands).elapsed();
            let asked = elapsed();
            let (value, age) = known.recall::<(i32, i32)>(Duration::MAX).unwrap_or_else(|| panic!("one is there"));
            assert_eq!(value.0, value.1, "torn");
            // Of what is kept while it is looked for nobody can tell when.
            (asked == elapsed()).then(|| asked.saturating_sub(age))
        };
        let reader = {
            let known = Arc::clone(&known);
            beside(move || {
                if let (Some(first), Some(second)) = (recall(&known), recall(&known)) {
                    assert!(first <= second, "kept at {second:?}, found after one that was kept at {first:?}");
                }
            })
        };
        let _ = keepers.map(end);
        end(reader);
        assert!(recall(&known) >= Some(start));
        known.remember((3, 3));
        assert_eq!(known.recall(Duration::MAX).map(|((value, _), _): ((i32, i32), _)| value), Some(3));
    });
}

#[test]
fn a_later_value_is_not_followed_by_an_earlier_one() {
    stores();
}

#[test]
fn seeded_a_time_that_was_read_before_the_lock_was_had_is_caught() {
    assert_caught("last known: early time", stores);
}
