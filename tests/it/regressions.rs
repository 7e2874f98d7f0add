//! Bugs that were found in this library, each kept as the test that would have caught it.

use crate::support::{Counter, ServiceError, millis};
use resilient::testing::TurnedClock;
use resilient::{CircuitBreaker, Policy, Rate, State, TryAcquireError, Verdict, resilient};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;
use tracing::dispatcher::with_default;
use tracing::{Dispatch, Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// The slow path read the clock twice, so that who had no patience was too late for a token that was there. A turned clock hides it.
#[test]
fn without_patience_a_token_that_is_there_is_taken_on_the_slow_path_too() {
    let rate = Rate::per_second(1_000).burst(100);
    let policy = Policy::builder().breaker("no patience").rate(rate).max_wait(Duration::ZERO).build().unwrap();
    resilient::breaker("no patience").force_open();
    assert!(policy.run(|| Ok::<_, ServiceError>(())).is_err());
    resilient::breaker("no patience").disable();
    policy.run(|| Ok::<_, ServiceError>(())).unwrap();
}

#[tokio::test]
async fn without_patience_a_retry_under_a_deadline_gets_its_token() {
    #[resilient(retries = 2, base_delay = "1ms", deadline = "10s", rate = 1_000, burst = 100, max_wait = "0s")]
    async fn call(attempts: &Counter) -> Result<u32, ServiceError> {
        if attempts.count() < 2 { Err(ServiceError::Reset) } else { Ok(attempts.get()) }
    }
    assert_eq!(call(&Counter::default()).await, Ok(2));
}

/// The event was told while the lock of first calls was held.
#[test]
fn a_subscriber_may_make_its_own_first_call_when_it_hears_of_a_contradiction() {
    struct Exporter;
    impl<S: Subscriber> Layer<S> for Exporter {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            if event.metadata().name() == "conflicting_settings" {
                export().unwrap();
            }
        }
    }
    #[resilient(retries = 1)]
    fn export() -> Result<(), ServiceError> {
        Ok(())
    }
    #[resilient(bucket = "contradicted", rate = 5)]
    fn one() -> Result<(), ServiceError> {
        Ok(())
    }
    #[resilient(bucket = "contradicted", rate = 6)]
    fn two() -> Result<(), ServiceError> {
        Ok(())
    }
    let (done, is_done) = mpsc::channel();
    std::thread::spawn(move || {
        tracing::subscriber::with_default(tracing_subscriber::registry().with(Exporter), || one().and(two())).unwrap();
        done.send(()).ok();
    });
    is_done.recv_timeout(Duration::from_secs(20)).expect("no deadlock");
}

/// A slot given back by the last waiter took the pause's moment back with it.
#[tokio::test(start_paused = true)]
async fn nobody_runs_inside_a_pause_although_the_last_waiter_reserves_again() {
    #[resilient(rate = 1, burst = 1)]
    async fn call(body: u64, outcome: Result<(), ServiceError>, start: tokio::time::Instant) -> Result<Duration, ServiceError> {
        let ran = start.elapsed();
        tokio::time::sleep(millis(body)).await;
        outcome.map(|()| ran)
    }
    let start = tokio::time::Instant::now();
    let hint = ServiceError::SlowDown { wait: Some(millis(1_500)) };
    let (_, second) = tokio::join!(call(200, Err(hint), start), call(0, Ok(()), start));
    assert!(second.unwrap() >= millis(1_700));
}

/// Who got the only slot held it while it waited for a new token, and all the others' tokens went stale meanwhile.
#[tokio::test(start_paused = true)]
async fn a_rate_and_a_bulkhead_together_use_what_both_allow() {
    for (rate, body) in [(10_u32, 100_u64), (20, 150), (100, 150), (7, 100)] {
        let policy = Policy::builder().rate(Rate::per_second(u64::from(rate)).burst(1)).concurrency(1).build().unwrap();
        let done = Rc::new(Counter::default());
        let tasks = tokio::task::LocalSet::new();
        tasks
            .run_until(async {
                for _ in 0..1_200 {
                    let (policy, done) = (policy.clone(), Rc::clone(&done));
                    tokio::task::spawn_local(async move {
                        let body = || async {
                            tokio::time::sleep(millis(body)).await;
                            done.count();
                            Ok::<_, ServiceError>(())
                        };
                        policy.run_async(body).await
                    });
                    tokio::time::sleep(millis(50)).await;
                }
            })
            .await;
        let possible = 60 * rate.min(1_000 / u32::try_from(body).unwrap());
        assert!(done.get() * 10 >= possible * 9, "{} of {possible} at {rate}/s, {body} ms", done.get());
    }
}

/// A stopped body gave its slot away before it was dropped.
#[tokio::test(start_paused = true)]
async fn a_stopped_body_keeps_its_slot_until_it_is_dropped() {
    struct Ends<'c>(&'c Counter);
    impl Drop for Ends<'_> {
        fn drop(&mut self) {
            assert_eq!(resilient::bulkhead("stopped body").in_flight(), 1);
            self.0.count();
        }
    }
    #[resilient(retries = 1, base_delay = "1s", jitter = none, bulkhead = "stopped body", concurrency = 1, timeout = "10ms")]
    async fn call(ended: &Counter) -> Result<(), ServiceError> {
        let _ends = Ends(ended);
        std::future::pending().await
    }
    let ended = Counter::default();
    let mut running = std::pin::pin!(call(&ended));
    tokio::select! {
        biased;
        _ = &mut running => unreachable!(),
        () = tokio::time::sleep(millis(500)) => assert_eq!(resilient::bulkhead("stopped body").in_flight(), 0, "between attempts"),
    }
    assert!(running.await.is_err());
    assert_eq!((ended.get(), resilient::bulkhead("stopped body").in_flight()), (2, 0));
}

/// The closure that makes the future ran although the call was refused, and its panic was nobody's.
#[tokio::test]
async fn a_policy_makes_the_future_only_when_the_body_may_run() {
    let settings = CircuitBreaker::new().failure_threshold(1);
    let policy = Policy::builder().breaker_with("makes the future", settings).build().unwrap();
    let breaker = resilient::breaker("makes the future");
    breaker.force_open();
    let futures = Counter::default();
    let refused = policy.run_async(|| {
        futures.count();
        async { Ok::<_, ServiceError>(()) }
    });
    assert!(refused.await.is_err());
    assert_eq!(futures.get(), 0);
    breaker.reset();
    let panics = tokio::spawn(async move {
        let make = || {
            assert!(made_up(), "no future");
            std::future::ready(Ok::<_, std::io::Error>(()))
        };
        policy.run_async(make).await
    });
    assert!(panics.await.is_err());
    assert_eq!(breaker.state(), State::Open);
}

fn made_up() -> bool {
    false
}

/// A pause beyond what the clock can count was asked for again and again without waiting.
#[test]
fn the_longest_pause_is_waited_for_and_not_spun_on() {
    #[resilient(rate = 10, max_wait = none, max_retry_after = Duration::MAX)]
    fn call(outcome: Result<(), ServiceError>) -> Result<(), ServiceError> {
        outcome
    }
    let (done, is_done) = mpsc::channel();
    std::thread::spawn(move || {
        let clock = TurnedClock::start();
        let hint = ServiceError::SlowDown { wait: Some(Duration::from_secs(9_999_999_999)) };
        assert!(call(Err(hint)).is_err() && call(Ok(())).is_ok());
        done.send(clock.elapsed()).ok();
    });
    assert_eq!(is_done.recv_timeout(Duration::from_secs(20)), Ok(Duration::from_secs(365 * 86_400)));
}

/// A probe's lease ended in the same instant as its timeout, so that its failure could come too late.
#[tokio::test(start_paused = true)]
async fn a_probe_that_times_out_reopens_the_circuit_although_others_ask() {
    #[resilient(timeout = "100ms", breaker(name = "busy probe", failure_threshold = 1, recovery_timeout = "1s"))]
    async fn call(bodies: &RefCell<u32>) -> Result<(), ServiceError> {
        *bodies.borrow_mut() += 1;
        std::future::pending().await
    }
    let bodies = Rc::new(RefCell::new(0));
    assert!(call(&bodies).await.is_err());
    let tasks = tokio::task::LocalSet::new();
    tasks
        .run_until(async {
            for _ in 0..2_000 {
                let bodies = Rc::clone(&bodies);
                tokio::task::spawn_local(async move { call(&bodies).await });
                tokio::time::sleep(millis(1)).await;
            }
        })
        .await;
    assert_eq!(*bodies.borrow(), 2, "the failure that opened it, and one probe in two seconds");
}

/// `retry_if` was not heard where `classify` called the error a success.
#[test]
fn what_counts_as_a_success_is_tried_again_if_the_user_says_so() {
    #[resilient(
        retries = 2,
        base_delay = "1ms",
        breaker = "success again",
        classify = |outcome| match outcome { Err(ServiceError::NotFound) => Verdict::Success, _ => Verdict::TRANSIENT },
        retry_if = |error| *error == ServiceError::NotFound
    )]
    fn not_yet_there(attempts: &Counter) -> Result<u32, ServiceError> {
        if attempts.count() < 3 { Err(ServiceError::NotFound) } else { Err(ServiceError::BadQuestion) }
    }
    let (_clock, attempts) = (TurnedClock::start(), Counter::default());
    assert_eq!(not_yet_there(&attempts), Err(ServiceError::BadQuestion));
    assert_eq!(attempts.get(), 3);
}

#[resilient(retries = 1, base_delay = "1ms", breaker(name = "late calls", failure_threshold = 3), rate = 1_000, burst = 100)]
fn late(is_good: bool) -> Result<(), ServiceError> {
    if is_good { Ok(()) } else { Err(ServiceError::Reset) }
}

/// Calls in destructors of a thread's own values, when much that is the thread's is gone already.
#[test]
fn a_call_while_its_thread_ends_is_one_like_any_other() {
    struct Last(mpsc::Sender<[Result<(), ServiceError>; 3]>);
    impl Drop for Last {
        fn drop(&mut self) {
            let outcomes = [late(true), late(false), {
                resilient::breaker("late calls").force_open();
                late(true)
            }];
            self.0.send(outcomes).ok();
        }
    }
    thread_local! {
        static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
    }
    let (said, is_said) = mpsc::channel();
    std::thread::spawn(move || {
        LAST.set(Some(Last(said)));
        late(true).unwrap();
        resilient::breaker("late calls").force_open();
        assert!(late(true).is_err());
        resilient::breaker("late calls").reset();
    });
    let [good, bad, refused] = is_said.recv_timeout(Duration::from_secs(20)).expect("the thread did not abort");
    assert_eq!((good, bad), (Ok(()), Err(ServiceError::Reset)));
    assert!(matches!(refused.unwrap_err().rejected(), resilient::Rejected::CircuitOpen(_)));
}

/// Rounded to the nearest tenth, it named a moment at which the call was refused again.
#[test]
fn a_refusal_never_says_less_than_the_wait() {
    let policy = Policy::builder().rate(Rate::per(1, millis(1_040))).max_wait(Duration::ZERO).build().unwrap();
    let _clock = TurnedClock::start();
    policy.run(|| Ok::<_, ServiceError>(())).unwrap();
    let refused = policy.run(|| Ok::<_, ServiceError>(())).unwrap_err();
    assert!(refused.to_string().contains("try again in 1.1s"), "{refused}");
}

/// What is told is when the next slot is free, although those who have given theirs up stood before others.
#[tokio::test(start_paused = true)]
async fn who_is_refused_is_told_of_the_slots_that_were_given_up() {
    let rate = Rate::per_second(1).burst(1);
    let patient = Policy::builder().rate(rate).bucket("told of the given up").max_wait(Duration::MAX).build().unwrap();
    let hasty = Policy::builder().bucket("told of the given up").max_wait(Duration::ZERO).build().unwrap();
    let body = async || Ok::<_, ServiceError>(());
    patient.run_async(body).await.unwrap();
    let mut waiting: Vec<_> = (0..20).map(|_| Box::pin(patient.run_async(body))).collect();
    for waiting in &mut waiting {
        assert!(futures_util::poll!(waiting).is_pending());
    }
    drop(waiting);
    let told = hasty.run_async(body).await.unwrap_err().rejected().retry_after();
    let asked = resilient::bucket("told of the given up").try_acquire(1);
    assert_eq!(told, Some(Duration::from_secs(1)));
    assert_eq!(asked, Err(TryAcquireError::NotYet { retry_after: Duration::from_secs(1) }));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(resilient::bucket("told of the given up").try_acquire(1), Ok(()));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(hasty.run_async(body).await.is_ok());
}

/// It was good until the next slot was due, so that two calls started where the rate has one.
#[tokio::test(start_paused = true)]
async fn a_slot_that_was_given_up_is_not_used_long_after_its_time() {
    let patient = Policy::builder().rate(Rate::per_hour(1)).bucket("given up long ago").max_wait(Duration::MAX).build().unwrap();
    let hasty = Policy::builder().bucket("given up long ago").max_wait(Duration::ZERO).build().unwrap();
    let body = async || Ok::<_, ServiceError>(());
    patient.run_async(body).await.unwrap();
    let (mut leaving, mut staying) = (Box::pin(patient.run_async(body)), Box::pin(patient.run_async(body)));
    assert!(futures_util::poll!(&mut leaving).is_pending() && futures_util::poll!(&mut staying).is_pending());
    drop(leaving);
    tokio::time::advance(Duration::from_secs(2 * 3_600 - 1)).await;
    let refused = hasty.run_async(body).await.unwrap_err().rejected();
    assert!(refused.retry_after() > Some(Duration::from_secs(1)), "the next slot is another's: {refused}");
    staying.await.unwrap();
}

/// Each thread told of its own changes, so that a circuit could be told to be half open when it had opened again already.
#[test]
fn what_changes_while_a_listener_is_busy_is_told_when_it_is_not() {
    #[derive(Clone, Default)]
    struct Busy(Arc<Mutex<Vec<&'static str>>>);
    impl<S: Subscriber> Layer<S> for Busy {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            if event.metadata().name() == "circuit_opened" {
                let dispatch = Dispatch::new(tracing_subscriber::registry().with(self.clone()));
                let reset = || with_default(&dispatch, || resilient::breaker("busy listener").reset());
                std::thread::scope(|scope| scope.spawn(reset).join()).unwrap();
            }
            self.0.lock().unwrap().push(event.metadata().name());
        }
    }
    #[resilient(breaker(name = "busy listener", failure_threshold = 1))]
    fn call() -> Result<(), ServiceError> {
        Err(ServiceError::Reset)
    }
    let (_clock, busy) = (TurnedClock::start(), Busy::default());
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(busy.clone()));
    for _ in 0..2 {
        assert_eq!(with_default(&dispatch, call), Err(ServiceError::Reset));
        assert_eq!(std::mem::take(&mut *busy.0.lock().unwrap()), ["circuit_opened", "circuit_reset"]);
    }
}
