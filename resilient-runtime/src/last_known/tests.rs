use super::*;
use std::sync::atomic::{AtomicBool, Ordering};

const HOUR: Duration = Duration::from_secs(3600);

fn value<T: Keepable>(last: &LastKnown) -> Option<T> {
    last.recall(HOUR).map(|(value, _)| value)
}

fn of_key(last: &LastKnownByKey, key: u32) -> Option<u32> {
    last.recall(&key, HOUR).map(|(value, _)| value)
}

#[test]
fn the_latest_value_of_each_type_is_kept() {
    let last = LastKnown::new();
    assert_eq!(value::<u32>(&last), None);
    last.remember(1_u32);
    last.remember("one".to_owned());
    last.remember(2_u32);
    assert_eq!(value(&last), Some(2_u32));
    assert_eq!(value(&last), Some("one".to_owned()));
    assert_eq!(value::<u64>(&last), None);
}

#[test]
fn a_success_that_meets_another_one_is_not_kept() {
    let (last, keyed) = (LastKnown::new(), LastKnownByKey::new(9));
    last.remember(1_u32);
    keyed.remember(1_u32, 1_u32);
    let locks = (lock(&last.0), lock(&keyed.shelves));
    last.remember(2_u32);
    keyed.remember(1_u32, 2_u32);
    drop(locks);
    assert_eq!((value(&last), of_key(&keyed, 1)), (Some(1_u32), Some(1)));
}

#[test]
fn a_success_does_not_wait_for_readers() {
    let last = LastKnown::new();
    last.remember(1_u32);
    let read = shelf(&mut lock(&last.0), || Shelf::<u32>(None)).0.as_ref().map(|kept| Arc::clone(&kept.value)).unwrap();
    let reading = lock(&read);
    last.remember(2_u32);
    drop(reading);
    assert_eq!(value(&last), Some(2_u32));
}

/// Its copies and drops use the store itself, and panic when told to.
struct Nosy {
    last: &'static LastKnown,
    panics: &'static AtomicBool,
}

impl Clone for Nosy {
    fn clone(&self) -> Self {
        assert!(!self.panics.load(Ordering::Relaxed), "told to");
        self.last.remember(7_u8);
        assert!(self.last.recall::<u8>(HOUR).is_none(), "a copy made while copying");
        assert!(self.last.recall::<Self>(HOUR).is_none());
        Self { ..*self }
    }
}

impl Drop for Nosy {
    fn drop(&mut self) {
        self.last.remember(8_u16);
    }
}

#[test]
fn copies_and_drops_run_outside_the_lock_and_may_panic() {
    let (last, panics): (&LastKnown, &AtomicBool) = (Box::leak(Box::default()), Box::leak(Box::default()));
    last.remember(Nosy { last, panics });
    assert!(value::<Nosy>(last).is_some());
    panics.swap(true, Ordering::Relaxed);
    assert!(std::panic::catch_unwind(|| value::<Nosy>(last)).is_err());
    panics.swap(false, Ordering::Relaxed);
    assert!(value::<Nosy>(last).is_some());
    last.remember(Nosy { last, panics });
    assert_eq!((value(last), value(last)), (Some(7_u8), Some(8_u16)));
}

#[test]
fn each_key_has_a_value_and_the_oldest_value_goes_first() {
    let last = LastKnownByKey::new(3);
    for key in 1..=3_u32 {
        last.remember(key, key * 10);
    }
    last.remember(1_u32, 11_u32);
    last.remember(4_u32, 40_u32);
    assert_eq!([1, 2, 3, 4].map(|key| of_key(&last, key)), [Some(11), None, Some(30), Some(40)]);
    assert_eq!(last.recall::<u32, String>(&1, HOUR), None);
}

#[test]
fn memory_is_bounded_under_many_keys() {
    let last = LastKnownByKey::new(100);
    for key in 0..10_000_u32 {
        last.remember(key, key);
        last.remember(0_u32, key);
    }
    let mut shelves = lock(&last.shelves);
    let shelf = shelf(&mut shelves, ShelfByKey::<u32, u32>::new);
    assert_eq!((shelf.kept.len(), shelf.order.len()), (100, 100));
    assert!(shelf.kept.contains_key(&0));
}

#[cfg(feature = "testing")]
#[test]
fn a_value_is_good_up_to_its_age() {
    let clock = crate::testing::TurnedClock::start();
    let (last, keyed) = (LastKnown::new(), LastKnownByKey::new(9));
    last.remember(1_u8);
    keyed.remember("a", 1_u8);
    clock.advance(HOUR);
    assert_eq!((last.recall(HOUR), keyed.recall(&"a", HOUR)), (Some((1_u8, HOUR)), Some((1_u8, HOUR))));
    clock.advance(Duration::from_nanos(1));
    assert_eq!((last.recall::<u8>(HOUR), keyed.recall::<_, u8>(&"a", HOUR)), (None, None));
    assert!(last.recall::<u8>(Duration::MAX).is_some());
    clock.turn_back(HOUR * 2);
    assert_eq!(last.recall(HOUR), Some((1_u8, Duration::ZERO)), "a clock that steps back makes nothing old");
}

#[test]
fn a_key_that_panics_while_it_is_compared_spoils_nothing_for_the_others() {
    #[derive(Clone)]
    struct Incomparable;
    impl Hash for Incomparable {
        fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
    }
    impl PartialEq for Incomparable {
        fn eq(&self, _: &Self) -> bool {
            panic!("compared")
        }
    }
    impl Eq for Incomparable {}
    let last = LastKnownByKey::new(9);
    last.remember("a", 1_u8);
    last.remember(Incomparable, 1_u8);
    assert!(std::panic::catch_unwind(|| last.remember(Incomparable, 2_u8)).is_err());
    last.remember("a", 3_u8);
    assert_eq!(last.recall(&"a", HOUR).map(|(value, _)| value), Some(3_u8));
}
