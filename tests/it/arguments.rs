//! What attempts do to arguments.

use crate::support::{Counter, ServiceError, ready};
use resilient::resilient;
use resilient::testing::TurnedClock;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Counts its clones; cannot be confused with a value that is only read.
#[derive(Debug)]
struct Parcel(Arc<AtomicU32>);

impl Clone for Parcel {
    fn clone(&self) -> Self {
        self.0.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(&self.0))
    }
}

fn parcel() -> (Parcel, Arc<AtomicU32>) {
    let clones = Arc::new(AtomicU32::new(0));
    (Parcel(Arc::clone(&clones)), clones)
}

fn attempt(attempts: &Counter, failing: u32) -> Result<(), ServiceError> {
    if attempts.count() <= failing { Err(ServiceError::Reset) } else { Ok(()) }
}

#[test]
fn what_the_body_only_borrows_is_never_cloned_and_need_not_be_clone() {
    struct Unique(u32);

    #[resilient(retries = 2, base_delay = "1ms")]
    fn borrows(parcel: Parcel, unique: Unique, attempts: &Counter) -> Result<(), ServiceError> {
        assert!(parcel.0.load(Ordering::Relaxed) == 0 && unique.0 == 7);
        attempt(attempts, 2)
    }
    #[resilient(retries = 2, base_delay = "1ms")]
    async fn borrows_async(parcel: Parcel, unique: Unique, attempts: &Counter) -> Result<(), ServiceError> {
        assert!(parcel.0.load(Ordering::Relaxed) == 0 && unique.0 == 7);
        attempt(attempts, 2)
    }
    let _clock = TurnedClock::start();
    let (parcel, clones) = parcel();
    borrows(Parcel(Arc::clone(&parcel.0)), Unique(7), &Counter::default()).unwrap();
    ready(borrows_async(parcel, Unique(7), &Counter::default())).unwrap();
    assert_eq!(clones.load(Ordering::Relaxed), 0);
}

#[test]
fn clone_clones_for_every_attempt_but_the_last() {
    #[resilient(retries = 2, base_delay = "1ms", clone(parcel))]
    fn consumes(parcel: Parcel, attempts: &Counter, failing: u32) -> Result<Parcel, ServiceError> {
        attempt(attempts, failing).map(|()| parcel)
    }
    #[resilient(retries = 2, base_delay = "1ms", clone(parcel))]
    async fn consumes_async(parcel: Parcel, attempts: &Counter, failing: u32) -> Result<Parcel, ServiceError> {
        attempt(attempts, failing).map(|()| parcel)
    }
    let _clock = TurnedClock::start();
    for (failing, expected) in [(0, 1), (1, 2), (2, 2), (9, 2)] {
        let (first, clones) = parcel();
        drop(consumes(first, &Counter::default(), failing));
        assert_eq!(clones.load(Ordering::Relaxed), expected, "{failing} failing");
        let (second, clones) = parcel();
        drop(ready(consumes_async(second, &Counter::default(), failing)));
        assert_eq!(clones.load(Ordering::Relaxed), expected, "{failing} failing, async");
    }
}

#[test]
fn a_mut_parameter_starts_afresh_and_reuse_keeps_what_was_done_to_it() {
    #[resilient(retries = 2, base_delay = "1ms")]
    fn fresh(mut items: Vec<u32>, attempts: &Counter) -> Result<Vec<u32>, ServiceError> {
        items.push(attempts.get());
        attempt(attempts, 2).map(|()| items)
    }
    #[resilient(retries = 2, base_delay = "1ms", reuse(items))]
    async fn reused(mut items: Vec<u32>, attempts: &Counter) -> Result<usize, ServiceError> {
        items.push(attempts.get());
        attempt(attempts, 2).map(|()| items.len())
    }
    let _clock = TurnedClock::start();
    assert_eq!(fresh(vec![], &Counter::default()), Ok(vec![2]));
    assert_eq!(ready(reused(vec![], &Counter::default())), Ok(3));
}

#[test]
fn without_retries_a_body_may_consume_and_return_what_it_borrows_mutably() {
    #[resilient(breaker = "runs once")]
    fn consumes(name: String) -> Result<Box<str>, ServiceError> {
        Ok(name.into_boxed_str())
    }
    #[resilient(breaker = "runs once")]
    fn first(items: &mut Vec<u32>) -> Result<&mut u32, ServiceError> {
        items.first_mut().ok_or(ServiceError::NotFound)
    }
    #[resilient(breaker = "runs once", timeout = "1s")]
    async fn first_async(items: &mut Vec<u32>) -> Result<&mut u32, ServiceError> {
        items.first_mut().ok_or(ServiceError::NotFound)
    }
    assert_eq!(&*consumes("x".to_owned()).unwrap(), "x");
    let mut items = vec![1];
    *first(&mut items).unwrap() += 1;
    *ready(first_async(&mut items)).unwrap() += 1;
    assert_eq!(items, [3]);
}

#[test]
fn return_question_mark_and_labelled_breaks_end_the_attempt_and_not_the_call() {
    #[resilient(retries = 3, base_delay = "1ms")]
    fn call(attempts: &Counter) -> Result<u32, ServiceError> {
        match attempts.count() {
            1 => return Err(ServiceError::Reset),
            2 => attempt(&Counter::default(), 1)?,
            _ => {}
        }
        let found = 'search: {
            for number in 0.. {
                if number == 3 {
                    break 'search number;
                }
            }
            0
        };
        Ok(found)
    }
    let _clock = TurnedClock::start();
    let attempts = Counter::default();
    assert_eq!((call(&attempts), attempts.get()), (Ok(3), 3));
}
