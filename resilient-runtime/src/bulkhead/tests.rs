use super::*;
use std::sync::atomic::AtomicU32;
use std::thread;

fn bulkhead(limit: u32) -> Bulkhead {
    Bulkhead::new(None, Concurrency::limit(limit))
}

fn idle() -> Waker {
    Waker::noop().clone()
}

fn counts(bulkhead: &Bulkhead) -> (u32, u32) {
    (bulkhead.in_flight(), bulkhead.waiting())
}

#[test]
fn exactly_the_limit_is_admitted_and_a_slot_comes_back_once() {
    let bulkhead = bulkhead(3);
    let mut slots: Vec<_> = (0..5).filter_map(|_| bulkhead.try_acquire()).collect();
    assert_eq!((slots.len(), counts(&bulkhead)), (3, (3, 0)));
    drop(slots.pop());
    assert_eq!(counts(&bulkhead), (2, 0));
    drop(slots);
    assert_eq!(counts(&bulkhead), (0, 0));
}

#[test]
fn it_is_empty_while_nobody_is_in_flight_or_waits() {
    let bulkhead = bulkhead(1);
    assert!(bulkhead.is_empty());
    let slot = bulkhead.try_acquire();
    assert!(!bulkhead.is_empty());
    let place = bulkhead.enqueue(idle()).expect_err("full");
    drop(slot);
    assert!(!bulkhead.is_empty(), "it was handed over");
    drop(place);
    assert!(bulkhead.is_empty());
}

#[test]
fn who_comes_to_the_queue_looks_for_a_slot_once_more() {
    let bulkhead = bulkhead(1);
    let slot = bulkhead.enqueue(idle()).expect("there is one");
    assert_eq!(counts(&bulkhead), (1, 0));
    assert!(bulkhead.enqueue(idle()).is_err());
    drop(slot);
}

#[test]
#[cfg(feature = "tokio")]
fn who_is_polled_by_another_waker_is_woken_by_that_one() {
    #[derive(Default)]
    struct Woken(AtomicU32);
    impl std::task::Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let (first, second) = (Arc::new(Woken::default()), Arc::new(Woken::default()));
    let bulkhead = bulkhead(1);
    let slot = bulkhead.try_acquire();
    let place = bulkhead.enqueue(Arc::clone(&first).into()).expect_err("full");
    place.wake(&Arc::clone(&second).into());
    drop(slot);
    assert_eq!([first, second].map(|woken| woken.0.load(Ordering::Relaxed)), [0, 1]);
    drop(place);
}

#[test]
fn waiters_are_served_in_order_and_newcomers_never_overtake() {
    let bulkhead = bulkhead(1);
    let slot = bulkhead.try_acquire();
    let first = bulkhead.enqueue(idle()).expect_err("full");
    let second = bulkhead.enqueue(idle()).expect_err("full");
    assert_eq!(counts(&bulkhead), (1, 2));
    let second = second.take().expect_err("not its turn");
    drop(slot);
    assert!(bulkhead.try_acquire().is_none());
    let second = second.take().expect_err("not its turn");
    let slot = first.take().expect("its turn");
    drop(slot);
    drop(second.take().expect("its turn"));
    assert_eq!(counts(&bulkhead), (0, 0));
}

#[test]
fn a_waiter_who_leaves_gives_up_its_place_or_the_slot_it_was_granted() {
    let bulkhead = bulkhead(1);
    let slot = bulkhead.try_acquire();
    let first = bulkhead.enqueue(idle()).expect_err("full");
    let second = bulkhead.enqueue(idle()).expect_err("full");
    let third = bulkhead.enqueue(idle()).expect_err("full");
    drop(second);
    assert_eq!(counts(&bulkhead), (1, 2));
    drop(slot);
    drop(first);
    drop(third.take().expect("the slot of the one that left"));
    assert_eq!(counts(&bulkhead), (0, 0));
}

#[test]
fn a_higher_limit_admits_waiters_and_a_lower_one_lets_calls_end() {
    let bulkhead = bulkhead(1);
    let slot = bulkhead.try_acquire();
    let waiter = bulkhead.enqueue(idle()).expect_err("full");
    bulkhead.change_limit(Concurrency::limit(2));
    bulkhead.wake();
    let second = waiter.take().expect("room for two");
    bulkhead.change_limit(Concurrency::limit(1));
    assert_eq!(counts(&bulkhead), (2, 0));
    drop(slot);
    assert!(bulkhead.try_acquire().is_none());
    drop(second);
    assert!(bulkhead.try_acquire().is_some());
}

#[test]
fn threads_that_wait_and_leave_never_exceed_the_limit_and_lose_no_slot() {
    let bulkhead = bulkhead(3);
    let (running, peak) = (AtomicU32::new(0), AtomicU32::new(0));
    let call = |_slot: Slot<'_>| {
        peak.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        thread::yield_now();
        running.fetch_sub(1, Ordering::SeqCst);
    };
    thread::scope(|scope| {
        for thread in 0..8 {
            let (bulkhead, call) = (&bulkhead, &call);
            scope.spawn(move || {
                for round in 0..500 {
                    let mut place = match bulkhead.enqueue(Unpark::waker()) {
                        Ok(slot) => {
                            call(slot);
                            continue;
                        }
                        Err(place) => place,
                    };
                    if (thread + round) % 3 == 0 {
                        continue;
                    }
                    loop {
                        match place.take() {
                            Ok(slot) => break call(slot),
                            Err(waiting) => place = waiting,
                        }
                        thread::park();
                    }
                }
            });
        }
    });
    assert!(peak.load(Ordering::SeqCst) <= 3);
    assert_eq!(counts(&bulkhead), (0, 0));
}
