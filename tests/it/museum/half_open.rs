//! Bugs 1 to 10: places of probes that are lost, and probes that are too many.

use super::{Body, Outcome, RECOVERY, at_once, bad, good, half_open, neutral, trip};
use crate::support::{Counter, Named, ServiceError, cancel_at_every_point, poll_once, quiesce, quiesce_paused};
use resilient::testing::TurnedClock;
use resilient::{CircuitBreaker, Policy, Rejected, State, Window, breaker, resilient};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;

fn is_refused(outcome: &Outcome) -> bool {
    matches!(outcome, Err(ServiceError::Rejected(Rejected::CircuitOpen(_))))
}

/// resilience4j#544: an error that the breaker was told to ignore kept the trial's place, and the circuit stayed half open for good.
#[test]
fn bug_01_a_probe_that_says_nothing_gives_its_place_back() {
    #[resilient(breaker = "museum 1")]
    fn call(body: Body) -> Outcome {
        body()
    }
    let clock = TurnedClock::start();
    half_open(&clock, "museum 1", call);
    for _ in 0..1_000 {
        assert_eq!(call(neutral), Err(ServiceError::BadQuestion));
        assert_eq!(call(|| Err(ServiceError::SlowDown { wait: None })), Err(ServiceError::SlowDown { wait: None }));
        assert_eq!(breaker("museum 1").state(), State::HalfOpen);
    }
    assert_eq!((call(good), call(good)), (Ok(()), Ok(())));
    assert_eq!(breaker("museum 1").state(), State::Closed);
    quiesce(&clock, &[Named::Breaker("museum 1")]);
}

/// resilience4j#544: the same error, if it is the service's own "no", must count as a sign of life and not hang in between.
#[test]
fn bug_01_a_probe_that_is_told_no_has_found_the_service_alive() {
    #[resilient(breaker(name = "museum 1, no", success_threshold = 3))]
    fn call(body: Body) -> Outcome {
        body()
    }
    let clock = TurnedClock::start();
    half_open(&clock, "museum 1, no", call);
    for state in [State::HalfOpen, State::HalfOpen, State::Closed] {
        assert_eq!(call(|| Err(ServiceError::NotFound)), Err(ServiceError::NotFound));
        assert_eq!(breaker("museum 1, no").state(), state);
    }
    quiesce(&clock, &[Named::Breaker("museum 1, no")]);
}

/// opossum#388: a filtered error left a second flag behind that said the opposite of the state, so that the circuit never closed.
#[test]
fn bug_02_whatever_happens_the_breaker_shows_a_state_that_is_possible() {
    const THRESHOLD: u32 = 3;
    const SUCCESSES: u32 = 2;
    for seed in 0..200 {
        let name = format!("museum 2, {seed}");
        let settings = CircuitBreaker::new().failure_threshold(THRESHOLD).success_threshold(SUCCESSES);
        let policy = Policy::builder().breaker_with(&name, settings).build().unwrap();
        let (clock, breaker, mut random) = (TurnedClock::start(), breaker(&name), fastrand::Rng::with_seed(seed));
        let (mut failures, mut successes) = (0, 0);
        for _ in 0..200 {
            let before = breaker.state();
            let op = random.u32(0..6);
            let outcome = match op {
                0 => policy.run(good),
                1 => policy.run(bad),
                2 => policy.run(neutral),
                3 => policy.run(|| Err(ServiceError::SlowDown { wait: None })),
                4 => catch_unwind(AssertUnwindSafe(|| policy.run(|| panic!("body")))).unwrap_or_else(|_| bad()),
                _ => {
                    clock.advance(Duration::from_secs(random.u64(0..40)));
                    Ok(())
                }
            };
            let is_asked = op < 5 && before != State::Open;
            assert_eq!(
                is_refused(&outcome),
                op < 5 && before == State::Open,
                "who is alone is refused when it is open, and only then"
            );
            let expected = match (before, op) {
                (State::Closed, 1 | 4) if failures + 1 == THRESHOLD => State::Open,
                (State::HalfOpen, 1 | 4) => State::Open,
                (State::HalfOpen, 0) if successes + 1 == SUCCESSES => State::Closed,
                (State::Open, 5) => breaker.state(),
                _ => before,
            };
            assert!(expected != State::Closed || before != State::Open, "it never skips the probes");
            assert_eq!(breaker.state(), expected, "seed {seed}");
            (failures, successes) = match (is_asked, op) {
                _ if expected != before => (0, 0),
                (true, 0) => (0, successes + u32::from(before == State::HalfOpen)),
                (true, 1 | 4) => (failures + 1, successes),
                _ => (failures, successes),
            };
            assert_eq!(breaker.failures(), failures, "seed {seed}, {expected:?}");
        }
        quiesce(&clock, &[Named::Breaker(&name)]);
    }
}

/// monix#1080: a probe that was cancelled from outside kept its place, and no later call ever ran.
#[tokio::test(start_paused = true)]
async fn bug_03_a_probe_dropped_at_any_point_leaves_its_place_to_the_next() {
    #[resilient(breaker(name = "museum 3", failure_threshold = 1))]
    async fn call(body: Body) -> Outcome {
        for _ in 0..5 {
            tokio::task::yield_now().await;
        }
        body()
    }
    let next_may_probe = async || assert_eq!(call(neutral).await, Err(ServiceError::BadQuestion));
    assert!(call(bad).await.is_err());
    tokio::time::advance(RECOVERY).await;
    cancel_at_every_point(|| call(neutral), next_may_probe).await;
    tokio::select! {
        biased;
        _ = call(good) => unreachable!(),
        () = std::future::ready(()) => next_may_probe().await,
    }
    let task = tokio::spawn(call(good));
    tokio::task::yield_now().await;
    assert!(is_refused(&call(good).await), "the task has the place");
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    next_may_probe().await;
    assert_eq!(breaker("museum 3").state(), State::HalfOpen);
    quiesce_paused(&[Named::Breaker("museum 3")]).await;
}

/// monix#1080: nor may the end of a whole runtime keep the places of the probes that it drops.
#[test]
fn bug_03_a_runtime_that_shuts_down_takes_no_place_with_it() {
    #[resilient(breaker(name = "museum 3, shutdown", failure_threshold = 1, half_open_calls = 3))]
    async fn hanging() -> Outcome {
        std::future::pending().await
    }
    #[resilient(breaker = "museum 3, shutdown")]
    fn call(body: Body) -> Outcome {
        body()
    }
    let clock = TurnedClock::start();
    half_open(&clock, "museum 3, shutdown", call);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let probes: [_; 3] = std::array::from_fn(|_| tokio::spawn(hanging()));
        while !is_refused(&call(neutral)) {
            tokio::task::yield_now().await;
        }
        assert!(probes.iter().all(|probe| !probe.is_finished()));
    });
    drop(runtime);
    assert_eq!(call(neutral), Err(ServiceError::BadQuestion));
    quiesce(&clock, &[Named::Breaker("museum 3, shutdown")]);
}

/// OmniRoute#13836: a probe that never ended kept the circuit half open for six days, and 49,607 calls were refused by it.
#[tokio::test(start_paused = true)]
async fn bug_04_a_probe_that_never_ends_loses_its_place_and_its_say() {
    #[resilient(breaker(name = "museum 4", failure_threshold = 1))]
    async fn call(outcome: oneshot::Receiver<Outcome>) -> Outcome {
        outcome.await.unwrap()
    }
    let at_once = |outcome| {
        let (send, outcome_later) = oneshot::channel();
        send.send(outcome).unwrap();
        call(outcome_later)
    };
    assert!(at_once(bad()).await.is_err());
    tokio::time::advance(RECOVERY).await;
    let (send_good, good_later) = oneshot::channel();
    let mut first = pin!(call(good_later));
    assert!(poll_once(first.as_mut()).is_pending());
    assert!(is_refused(&at_once(good()).await));
    tokio::time::advance(Duration::from_secs(60)).await;
    let (send_bad, bad_later) = oneshot::channel();
    let mut second = pin!(call(bad_later));
    assert!(poll_once(second.as_mut()).is_pending(), "the first one's lease is over");
    tokio::time::advance(Duration::from_secs(120)).await;
    assert_eq!(at_once(neutral()).await, Err(ServiceError::BadQuestion), "so is the second one's");
    send_good.send(good()).unwrap();
    assert_eq!(first.await, Ok(()), "its caller gets what came of it");
    send_bad.send(bad()).unwrap();
    assert_eq!(second.await, Err(ServiceError::Reset));
    assert_eq!(breaker("museum 4").state(), State::HalfOpen, "a late failure opens nothing");
    assert_eq!(at_once(good()).await, Ok(()));
    assert_eq!(breaker("museum 4").state(), State::HalfOpen, "a late success counted for nothing");
    assert_eq!(at_once(good()).await, Ok(()));
    assert_eq!(breaker("museum 4").state(), State::Closed);
    quiesce_paused(&[Named::Breaker("museum 4")]).await;
}

/// resilience4j#935: a half-open circuit waited for more probes than its traffic could ever bring.
#[tokio::test(start_paused = true)]
async fn bug_05_probes_that_never_come_are_not_waited_for() {
    #[resilient(breaker(name = "museum 5", failure_threshold = 1, half_open_calls = 5, success_threshold = 3))]
    async fn call(body: Option<Body>) -> Outcome {
        match body {
            Some(body) => body(),
            None => std::future::pending().await,
        }
    }
    assert!(call(Some(bad)).await.is_err());
    tokio::time::advance(RECOVERY).await;
    assert_eq!(call(Some(good)).await, Ok(()));
    assert_eq!(call(Some(good)).await, Ok(()));
    {
        let mut hanging: Vec<_> = (0..5).map(|_| Box::pin(call(None))).collect();
        assert!(hanging.iter_mut().all(|probe| poll_once(probe.as_mut()).is_pending()));
        assert!(is_refused(&call(Some(good)).await));
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(call(Some(neutral)).await, Err(ServiceError::BadQuestion), "no traffic is needed for that");
        assert_eq!(call(Some(good)).await, Ok(()));
    }
    assert_eq!(breaker("museum 5").state(), State::Closed, "three in all, however long it took");
    quiesce_paused(&[Named::Breaker("museum 5")]).await;
}

/// Polly#216 and PR 223, termite PR 27, open-liberty#7080, opossum#119: everybody got through while the first probe was on its way.
#[test]
fn bug_06_of_sixty_four_threads_one_probes() {
    #[resilient(breaker(name = "museum 6", failure_threshold = 1))]
    fn call(body: impl FnOnce() -> Outcome) -> Outcome {
        body()
    }
    const THREADS: usize = 64;
    let clock = TurnedClock::start();
    half_open(&clock, "museum 6", call);
    let (started, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    at_once(THREADS, &clock, |_, _| {
        let outcome = call(|| {
            started.fetch_add(1, Ordering::SeqCst);
            while started.load(Ordering::SeqCst) + refused.load(Ordering::SeqCst) < THREADS {
                thread::yield_now();
            }
            good()
        });
        refused.fetch_add(usize::from(is_refused(&outcome)), Ordering::SeqCst);
    });
    assert_eq!((started.into_inner(), refused.into_inner()), (1, THREADS - 1));
    quiesce(&clock, &[Named::Breaker("museum 6")]);
}

/// tower-resilience PR 407 (#382): probes were counted when they ended, so that any number of clones could begin one.
#[tokio::test(start_paused = true)]
async fn bug_07_probes_are_counted_when_they_start_in_clones_too() {
    let settings = CircuitBreaker::new().failure_threshold(1).half_open_calls(2).success_threshold(3);
    let policy = Policy::builder().breaker_with("museum 7", settings).build().unwrap();
    let (started, may_end) = (Counter::default(), Cell::new(false));
    let probe = || {
        let (policy, started, may_end) = (policy.clone(), &started, &may_end);
        async move {
            let body = || async {
                started.count();
                std::future::poll_fn(|_| if may_end.get() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }).await;
                good()
            };
            policy.run_async(body).await
        }
    };
    assert!(policy.run(bad).is_err());
    tokio::time::advance(RECOVERY).await;
    let mut probes: Vec<_> = (0..50).map(|_| Box::pin(probe())).collect();
    probes.retain_mut(|probe| poll_once(probe.as_mut()).is_pending());
    assert_eq!((started.get(), probes.len()), (2, 2));
    probes.pop();
    assert!(poll_once(pin!(probe())).is_pending(), "a dropped one gives its place back");
    may_end.set(true);
    assert_eq!(probes.pop().unwrap().await, Ok(()));
    assert_eq!(breaker("museum 7").state(), State::HalfOpen, "neither who was dropped nor who was refused counts as a success");
    assert_eq!((probe().await, probe().await), (Ok(()), Ok(())));
    assert_eq!((started.get(), breaker("museum 7").state()), (5, State::Closed));
    quiesce_paused(&[Named::Breaker("museum 7")]).await;
}

/// virtrigaud PR 70: the call that made the circuit half open was not counted, so that one probe too many ran.
#[tokio::test(start_paused = true)]
async fn bug_08_exactly_as_many_probe_as_may() {
    for places in 1..=4 {
        let name = format!("museum 8, {places}");
        let settings = CircuitBreaker::new().failure_threshold(1).half_open_calls(places);
        let policy = Policy::builder().breaker_with(&name, settings).build().unwrap();
        assert!(policy.run(bad).is_err());
        tokio::time::advance(RECOVERY).await;
        let hanging = || policy.run_async(std::future::pending::<Outcome>);
        let mut probes: Vec<_> = (0..10).map(|_| Box::pin(hanging())).collect();
        probes.retain_mut(|probe| poll_once(probe.as_mut()).is_pending());
        assert_eq!(probes.len(), places as usize);
        drop(probes);
        quiesce_paused(&[Named::Breaker(&name)]).await;
    }
}

/// virtrigaud PR 70: the refusal of an open circuit was taken for a fault that passes, and tried again.
#[test]
fn bug_08_a_refusal_is_not_tried_again_at_any_level() {
    #[resilient(retries = 3, breaker = "museum 8, refusing")]
    fn inner(bodies: &Counter) -> Outcome {
        bodies.count();
        bad()
    }
    #[resilient(retries = 3, breaker = "museum 8, around it")]
    fn outer(calls: &Counter, bodies: &Counter) -> Outcome {
        calls.count();
        inner(bodies)
    }
    breaker("museum 8, refusing").force_open();
    let (clock, calls, bodies) = (TurnedClock::start(), Counter::default(), Counter::default());
    assert!(is_refused(&outer(&calls, &bodies)));
    assert_eq!((calls.get(), bodies.get(), clock.waits()), (1, 0, Vec::new()));
    assert_eq!(breaker("museum 8, around it").failures(), 0, "nor does it count as a failure there");
    breaker("museum 8, refusing").reset();
    quiesce(&clock, &[Named::Breaker("museum 8, refusing"), Named::Breaker("museum 8, around it")]);
}

/// resilience4j#903 and PR 597, opossum#276: the minimum of calls and the window of the closed state held in the half-open one too,
/// which could then never be left.
#[test]
fn bug_09_probes_decide_whatever_the_window_asks_for() {
    let windows = [
        CircuitBreaker::new().failure_ratio(0.5),
        CircuitBreaker::new().failure_ratio(0.5).window(Window::calls(1_000_000)).minimum_calls(1_000_000),
        CircuitBreaker::new().failure_ratio(1.0).window(Window::time(Duration::from_secs(1))).minimum_calls(50),
        CircuitBreaker::new()
            .slow_call_duration(Duration::from_secs(9))
            .window(Window::time(Duration::from_secs(1)))
            .minimum_calls(50),
    ];
    for (number, settings) in windows.into_iter().enumerate() {
        for calls in 1..=4 {
            let name = format!("museum 9, {number}, {calls}");
            let settings = settings.failure_threshold(1).half_open_calls(calls).success_threshold(calls);
            let policy = Policy::builder().breaker_with(&name, settings).build().unwrap();
            let clock = TurnedClock::start();
            let takes_two_seconds = |body: Body| {
                policy.run(|| {
                    clock.advance(Duration::from_secs(2));
                    body()
                })
            };
            half_open(&clock, &name, takes_two_seconds);
            for probe in 1..=calls {
                assert_eq!(takes_two_seconds(good), Ok(()));
                assert_eq!(breaker(&name).state(), if probe < calls { State::HalfOpen } else { State::Closed });
            }
            half_open(&clock, &name, takes_two_seconds);
            assert!(takes_two_seconds(bad).is_err());
            assert_eq!(breaker(&name).state(), State::Open);
            quiesce(&clock, &[Named::Breaker(&name)]);
        }
    }
}

/// resilience4j#1432: more calls than allowed ran in the very moment in which the open circuit became half open.
#[test]
fn bug_10_the_moment_in_which_it_becomes_half_open_admits_nobody_twice() {
    #[resilient(breaker(name = "museum 10", failure_threshold = 1, half_open_calls = 3))]
    fn call(body: impl FnOnce() -> Outcome) -> Outcome {
        body()
    }
    const THREADS: usize = 6;
    let clock = TurnedClock::start();
    for round in 0..1_000 {
        trip("museum 10", call);
        clock.advance(RECOVERY);
        let (started, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
        at_once(THREADS, &clock, |_, _| {
            let outcome = call(|| {
                started.fetch_add(1, Ordering::SeqCst);
                while started.load(Ordering::SeqCst) + refused.load(Ordering::SeqCst) < THREADS {
                    thread::yield_now();
                }
                neutral()
            });
            refused.fetch_add(usize::from(is_refused(&outcome)), Ordering::SeqCst);
        });
        assert_eq!((round, started.into_inner(), refused.into_inner()), (round, 3, THREADS - 3));
        breaker("museum 10").reset();
    }
    quiesce(&clock, &[Named::Breaker("museum 10")]);
}
