//! Nothing on a call's success path allocates. (In a binary of its own, because it counts what the allocator is asked for.)

use resilient::testing::TurnedClock;
use resilient::{Failure, Rejected, resilient};
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

#[resilient(
    retries = 3,
    deadline = "9s",
    breaker = "allocations",
    bucket = "allocations",
    rate = 1_000_000,
    burst = 1_000_000,
    bulkhead = "allocations",
    concurrency = 4,
    fallback = |failure| match failure { Failure::Rejected(rejected) => Err(rejected), Failure::Error(error) => Err(error) }
)]
fn everything(order: u64) -> Result<u64, Rejected> {
    Ok(black_box(order))
}

#[resilient(
    retries = 3,
    timeout = "1s",
    deadline = "9s",
    breaker = "allocations",
    bucket = "allocations",
    bulkhead = "allocations"
)]
async fn everything_async(order: u64) -> Result<u64, Rejected> {
    Ok(black_box(order))
}

#[resilient(retries = 3, breaker = "allocations", bucket = "allocations", bulkhead = "allocations")]
async fn pending_once(order: u64) -> Result<u64, Rejected> {
    let mut is_first = true;
    std::future::poll_fn(|_| if std::mem::take(&mut is_first) { Poll::Pending } else { Poll::Ready(()) }).await;
    Ok(black_box(order))
}

#[resilient(retries = 3, deadline = "9s", breaker = "allocations", context = cx)]
fn nested(order: u64) -> Result<u64, Rejected> {
    everything(order - 1 + u64::from(cx.attempt()))
}

#[resilient(retries = 3, budget = "allocations", context = cx)]
async fn nested_async(order: u64) -> Result<u64, Rejected> {
    let order = nested(order)?;
    Ok(pending_once(order).await?.min(everything_async(order - 1 + u64::from(cx.attempt())).await?))
}

#[resilient(breaker(name = "allocations when open", failure_threshold = 1))]
fn refused(fails: bool) -> Result<(), std::io::Error> {
    answered(fails)
}

#[resilient(breaker = "allocations when open")]
fn refused_plainly() -> Result<(), Rejected> {
    Ok(())
}

#[resilient(breaker = "allocations when open")]
async fn refused_async() -> Result<(), Rejected> {
    Ok(())
}

#[resilient(breaker(name = "allocations of calls", failure_ratio = 0.5, slow_call_duration = "2s", window = 1_000_000))]
fn over_calls(fails: bool) -> Result<(), std::io::Error> {
    answered(fails)
}

#[resilient(breaker(name = "allocations of time", failure_ratio = 0.5, slow_call_duration = "2s", window = "1s"))]
async fn over_time(fails: bool) -> Result<(), std::io::Error> {
    answered(fails)
}

#[resilient(rate = 1_000_000, burst = 1_000_000, key = tenant)]
fn keyed(tenant: u64) -> Result<u64, Rejected> {
    Ok(black_box(tenant))
}

#[resilient(retries = 2, breaker = "allocations by key", bucket = "allocations by key", bulkhead = "allocations by key", key = tenant)]
async fn everything_keyed(tenant: &str) -> Result<usize, Rejected> {
    Ok(black_box(tenant.len()))
}

fn answered(fails: bool) -> Result<(), std::io::Error> {
    if fails { Err(std::io::ErrorKind::TimedOut.into()) } else { Ok(()) }
}

fn polls<F: Future>(future: F) -> (u32, F::Output) {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for polls in 1.. {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return (polls, output);
        }
    }
    unreachable!("the loop has no end")
}

fn allocations(mut call: impl FnMut()) -> u64 {
    call();
    allocation_counter::measure(|| (0..100).for_each(|_| call())).count_total
}

#[test]
fn a_healthy_call_with_every_policy_on_allocates_nothing() {
    let _clock = TurnedClock::start();
    assert_eq!(allocations(|| assert_eq!(everything(7), Ok(7))), 0);
    assert_eq!(allocations(|| assert_eq!(polls(everything_async(7)), (1, Ok(7)))), 0);
    assert_eq!(allocations(|| assert_eq!(polls(pending_once(7)), (2, Ok(7)))), 0);
}

#[test]
fn nor_do_calls_inside_calls_with_a_context() {
    let _clock = TurnedClock::start();
    assert_eq!(allocations(|| assert_eq!(nested(7), Ok(7))), 0);
    assert_eq!(allocations(|| assert_eq!(polls(nested_async(7)), (2, Ok(7)))), 0);
}

#[test]
fn nor_do_calls_whose_key_is_known() {
    let clock = TurnedClock::start();
    let tenants = ["a", "b", "some tenant with a long name"];
    let by_number = || (0..100).for_each(|tenant| assert_eq!(keyed(tenant), Ok(tenant)));
    let by_name = || {
        for tenant in tenants {
            clock.advance(Duration::from_secs(1));
            assert_eq!(polls(everything_keyed(tenant)), (1, Ok(tenant.len())));
        }
    };
    assert_eq!((allocations(by_number), allocations(by_name)), (0, 0));
}

#[test]
fn a_success_allocates_nothing_in_any_window() {
    let clock = TurnedClock::start();
    for fails in [false, true, false] {
        assert_eq!(over_calls(fails).is_err(), fails);
        assert_eq!(polls(over_time(fails)).1.is_err(), fails);
        assert_eq!(allocations(|| assert!(over_calls(false).is_ok())), 0);
        let tick = || {
            clock.advance(Duration::from_millis(30));
            assert!(polls(over_time(false)).1.is_ok());
        };
        assert_eq!(allocations(tick), 0);
    }
}

#[test]
fn a_refusal_by_an_open_circuit_allocates_nothing() {
    let clock = TurnedClock::start();
    assert!(refused(true).is_err());
    assert_eq!(allocations(|| assert!(refused_plainly().is_err())), 0);
    assert_eq!(allocations(|| assert!(polls(refused_async()).1.is_err())), 0);
    clock.advance(Duration::from_secs(60));
    assert!(refused(false).is_ok());
}

#[cfg(feature = "tower")]
#[test]
fn a_call_through_the_tower_layer_allocates_its_future_and_nothing_else() {
    use resilient::tower::PolicyLayer;
    use tower::{Layer as _, ServiceExt as _, service_fn};

    let _clock = TurnedClock::start();
    let policy = resilient::Policy::builder().retries(3).timeout(Duration::from_secs(1)).breaker("allocations").concurrency(4);
    let layer = PolicyLayer::new(policy.build().unwrap()).classify(|outcome: &Result<u64, Rejected>| match outcome {
        Ok(_) => resilient::Verdict::Success,
        Err(_) => resilient::Verdict::TRANSIENT,
    });
    let service = layer.layer(service_fn(async |order: u64| Ok::<_, Rejected>(black_box(order))));
    assert_eq!(allocations(|| assert_eq!(polls(service.clone().oneshot(7)).1.ok(), Some(7))), 100);
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(black_box(Box::new(7)))), 100);
}
