//! Bugs 11 to 24: late results, races, and circuits that are configured anew.

use super::{Body, Outcome, RECOVERY, Told, at_once, bad, good, neutral, trip};
use crate::support::{Counter, Named, ServiceError, configuring, poll_once, quiesce, quiesce_paused};
use resilient::testing::TurnedClock;
use resilient::{Breaker, CircuitBreaker, Policy, Rejected, State, Window, breaker, resilient};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use tracing::dispatcher::with_default;
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Layer, SubscriberExt};

type Call<'c> = Pin<Box<dyn Future<Output = Outcome> + 'c>>;

/// A call whose body goes on until its gate is told what comes of it.
fn in_flight<'c>(policy: &'c Policy, gate: &'c Cell<Option<Body>>) -> Call<'c> {
    let body = || std::future::poll_fn(|_| gate.get().map_or(Poll::Pending, |body| Poll::Ready(body())));
    Box::pin(policy.run_async(body))
}

/// What the world can see of a breaker, and how many of five calls it would admit now.
fn seen(policy: &Policy, breaker: &Breaker) -> (State, u32, u64, usize) {
    let never = Cell::new(None);
    let mut asking: Vec<_> = (0..5).map(|_| in_flight(policy, &never)).collect();
    asking.retain_mut(|call| poll_once(call.as_mut()).is_pending());
    (breaker.state(), breaker.failures(), breaker.counts().calls, asking.len())
}

/// One step of an outage: it opens, it may be probed, the probe fails, it may be probed again, and it closes.
fn step(number: usize, policy: &Policy, breaker: &Breaker, clock: &TurnedClock) {
    match number {
        0 | 2 => trip_or_reopen(policy, breaker),
        1 | 3 => clock.advance(RECOVERY * 8),
        4 => assert_eq!(policy.run(good), Ok(())),
        _ => assert_eq!((policy.run(good), breaker.state()), (Ok(()), State::Closed)),
    }
}

fn trip_or_reopen(policy: &Policy, breaker: &Breaker) {
    assert_eq!((policy.run(bad), breaker.state()), (Err(ServiceError::Reset), State::Open));
}

/// denoland/std PR 7306, k8s-breakglass#981: a call from one recovery ended in the next, was counted there and freed a place that it
/// never had. `resilient-runtime/src/interleavings` has the same between threads.
#[test]
fn bug_11_a_result_from_before_changes_nothing_now() {
    let settings = CircuitBreaker::new().failure_threshold(1).half_open_calls(2).success_threshold(2);
    let clock = TurnedClock::start();
    // The steps before which a call is admitted, each with the one that ends its time.
    let times = [(0, 0), (2, 2), (4, 5), (5, 5)];
    for (began, ended) in times.into_iter().flat_map(|(began, over)| (over..=5).map(move |ended| (began, ended))) {
        for (number, ending) in [Some(good as Body), Some(bad), Some(neutral), None].into_iter().enumerate() {
            let name = format!("museum 11, {began}, {ended}, {number}");
            let policy = Policy::builder().breaker_with(&name, settings.failure_ratio(1.0)).build().unwrap();
            let (breaker, gate) = (breaker(&name), Cell::new(None));
            (0..began).for_each(|number| step(number, &policy, breaker, &clock));
            let mut old = in_flight(&policy, &gate);
            assert!(poll_once(old.as_mut()).is_pending());
            (began..=ended).for_each(|number| step(number, &policy, breaker, &clock));
            let before = seen(&policy, breaker);
            gate.set(ending);
            match ending {
                Some(body) => assert_eq!(poll_once(old.as_mut()), Poll::Ready(body()), "its caller gets what came of it"),
                None => drop(old),
            }
            assert_eq!(seen(&policy, breaker), before, "{name}");
            (ended + 1..=5).for_each(|number| step(number, &policy, breaker, &clock));
            assert_eq!(breaker.state(), State::Closed);
            quiesce(&clock, &[Named::Breaker(&name)]);
        }
    }
}

/// Polly#219 and PR 223: failures that came in when the circuit was open already told everybody again that it had opened.
#[tokio::test(start_paused = true)]
async fn bug_12_a_hundred_calls_in_flight_fail_and_it_opens_once() {
    #[resilient(breaker = "museum 12")]
    async fn call() -> Outcome {
        tokio::time::sleep(Duration::from_secs(1)).await;
        bad()
    }
    let told = Told::default();
    let listening = tracing::dispatcher::set_default(&told.dispatch());
    let calls = futures_util::future::join_all((0..100).map(|_| call())).await;
    assert!(calls.iter().all(|outcome| *outcome == bad()), "who was admitted sees its own error");
    assert_eq!(told.take(), ["circuit_opened"]);
    tokio::time::advance(RECOVERY).await;
    assert_eq!(breaker("museum 12").state(), State::HalfOpen, "late failures do not prolong it");
    drop(listening);
    quiesce_paused(&[Named::Breaker("museum 12")]).await;
}

/// Hystrix#2108: a race between the status and its timestamp left the circuit open for good, with its sleep over and nobody let through.
#[test]
fn bug_13_no_race_of_failures_probes_resets_and_late_results_leaves_it_shut() {
    #[resilient(breaker(name = "museum 13", failure_threshold = 2, recovery_timeout = "1s"))]
    fn call(body: impl FnOnce() -> Outcome) -> Outcome {
        body()
    }
    let clock = TurnedClock::start();
    for _ in 0..50 {
        at_once(5, &clock, |thread, clock| {
            for round in 0..100 {
                match (thread, round % 3) {
                    (0, _) => clock.advance(Duration::from_millis(700)),
                    (1, 0) => breaker("museum 13").reset(),
                    (2, 1) => drop(call(|| call(bad))),
                    (3, 2) => drop(call(good)),
                    _ => drop(call(bad)),
                }
            }
        });
        quiesce(&clock, &[Named::Breaker("museum 13")]);
    }
}

/// opossum#385: the sixth of six simultaneous failures cancelled the timer that was to make the open circuit half open.
#[test]
fn bug_14_failures_at_one_instant_need_no_timer_to_recover() {
    /// Six calls are in flight at once, one inside the other.
    #[resilient(breaker = "museum 14")]
    fn call(calls_inside: u32) -> Outcome {
        if calls_inside > 0 {
            assert!(call(calls_inside - 1).is_err());
        }
        bad()
    }
    let clock = TurnedClock::start();
    assert_eq!(call(5), bad());
    assert_eq!(breaker("museum 14").state(), State::Open);
    assert!(matches!(call(0).unwrap_err().rejected(), Rejected::CircuitOpen(_)));
    clock.advance(RECOVERY);
    assert_eq!(call(0), bad(), "it is admitted, with no runtime and no other thread");
    quiesce(&clock, &[Named::Breaker("museum 14")]);
}

/// resilience4j#562, #646: who lost the race to open a circuit got an exception about an illegal transition in place of his result.
#[test]
fn bug_15_who_loses_a_race_of_transitions_sees_only_his_own_error() {
    #[resilient(breaker(name = "museum 15", failure_threshold = 1, half_open_calls = 8))]
    fn call(body: Body) -> Outcome {
        body()
    }
    let (clock, told) = (TurnedClock::start(), Told::default());
    let everybody = |body: Body| {
        let dispatch = told.dispatch();
        at_once(8, &clock, |_, _| with_default(&dispatch, || call(body)))
    };
    let is_refused = |outcome: &Outcome| matches!(outcome, Err(ServiceError::Rejected(Rejected::CircuitOpen(_))));
    for _ in 0..100 {
        let fails = |outcome: &Outcome| *outcome == bad() || is_refused(outcome);
        assert!(everybody(bad).iter().all(fails));
        assert_eq!(told.take(), ["circuit_opened"]);
        clock.advance(Duration::from_secs(60));
        assert!(everybody(bad).iter().all(fails));
        assert_eq!(told.take(), ["circuit_half_open", "circuit_opened"], "each change begins where the last one ended");
        clock.advance(Duration::from_secs(60));
        assert!(everybody(good).iter().all(Result::is_ok));
        assert_eq!(told.take(), ["circuit_half_open", "circuit_closed"]);
    }
    quiesce(&clock, &[Named::Breaker("museum 15")]);
}

/// rezilience PR 246: failures were counted in one step and judged in another, so that a circuit sometimes never opened.
#[test]
fn bug_16_as_many_failures_at_once_as_it_takes_always_open_it() {
    const FAILURES: u32 = 6;
    let in_a_row = CircuitBreaker::new().failure_threshold(FAILURES);
    let share = CircuitBreaker::new().failure_ratio(1.0).minimum_calls(FAILURES);
    let share_of_time = share.window(Window::time(Duration::from_secs(10)));
    for (number, settings) in [in_a_row, share, share_of_time].into_iter().enumerate() {
        let name = format!("museum 16, {number}");
        let policy = Policy::builder().breaker_with(&name, settings).build().unwrap();
        let clock = TurnedClock::start();
        for round in 0..300 {
            let outcomes = at_once(FAILURES as usize, &clock, |_, _| policy.run(bad));
            assert!(outcomes.iter().all(|outcome| *outcome == bad()));
            assert_eq!((round, breaker(&name).state()), (round, State::Open));
            breaker(&name).reset();
        }
        quiesce(&clock, &[Named::Breaker(&name)]);
    }
}

const SETTINGS_PAGE: &str = include_str!("../../../docs/guide/settings.md");

/// sony/gobreaker#91: 30,000 calls were on their way into a service that hung, before the first of them failed and could open anything.
#[tokio::test(start_paused = true)]
async fn bug_20_a_timeout_or_a_bulkhead_bounds_what_is_in_flight_when_it_opens() {
    assert!(SETTINGS_PAGE.contains("A breaker alone does not bound how many calls are in flight"));
    let settings = CircuitBreaker::new().failure_threshold(5);
    let timed = Policy::builder().breaker_with("museum 20", settings).timeout(Duration::from_secs(1));
    let narrow = Policy::builder().breaker_with("museum 20, narrow", settings).bulkhead("museum 20, narrow").concurrency(50);
    for (policy, name, most) in [(timed, "museum 20", 1_000), (narrow.max_wait(Duration::ZERO), "museum 20, narrow", 50)] {
        let policy = policy.build().unwrap();
        let (in_flight, peak) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let tasks = tokio::task::LocalSet::new();
        let a_thousand_a_second = async {
            while breaker(name).state() == State::Closed {
                let (policy, in_flight, peak) = (policy.clone(), Rc::clone(&in_flight), Rc::clone(&peak));
                tokio::task::spawn_local(async move {
                    let body = || async {
                        let _leaves = Enters::count(&in_flight, &peak);
                        tokio::time::sleep(Duration::from_secs(30)).await;
                        bad()
                    };
                    policy.run_async(body).await
                });
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tasks.run_until(a_thousand_a_second).await;
        assert!((most - 10..=most).contains(&peak.get()), "{} in flight, of {most}", peak.get());
        tasks.await;
        assert_eq!(in_flight.get(), 0);
        quiesce_paused(&[Named::Breaker(name)]).await;
    }
    quiesce_paused(&[Named::Bulkhead("museum 20, narrow")]).await;
}

/// Who is in flight, until it is dropped.
struct Enters<'c>(&'c Cell<u32>);

impl<'c> Enters<'c> {
    fn count(in_flight: &'c Cell<u32>, peak: &Cell<u32>) -> Self {
        in_flight.set(in_flight.get() + 1);
        peak.set(peak.get().max(in_flight.get()));
        Self(in_flight)
    }
}

impl Drop for Enters<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// jac#7909: a whole loop of retries was one failure, so that a breaker of five failures opened after fifteen. What each combination of
/// policies counts is in `docs/golden-tables.md`.
#[test]
fn bug_21_every_attempt_is_counted_and_takes_its_token() {
    #[resilient(
        retries = 2, base_delay = "1s", jitter = none, breaker(name = "museum 21", failure_threshold = 5),
        bucket = "museum 21", rate = "1/h", burst = 6
    )]
    fn call(sent: &Counter) -> Outcome {
        sent.count();
        bad()
    }
    let (clock, sent) = (TurnedClock::start(), Counter::default());
    assert_eq!(call(&sent), bad());
    assert_eq!((sent.get(), breaker("museum 21").failures()), (3, 3));
    assert_eq!(call(&sent), bad());
    assert_eq!((sent.get(), breaker("museum 21").state()), (5, State::Open));
    assert_eq!(resilient::bucket("museum 21").try_acquire(1), Ok(()), "five of six tokens were taken");
    assert!(resilient::bucket("museum 21").try_acquire(1).is_err());
    clock.advance(Duration::from_secs(86_400));
    quiesce(&clock, &[Named::Breaker("museum 21"), Named::Bucket("museum 21")]);
}

/// What is done to the breaker, and by calls that it guards, by whoever hears of a change.
struct Meddler(fn(&'static Breaker));

impl<S: Subscriber> Layer<S> for Meddler {
    fn on_event(&self, event: &Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        if event.metadata().name().starts_with("circuit_") {
            (self.0)(breaker("museum 22"));
        }
    }
}

#[resilient(breaker(name = "museum 22", failure_threshold = 1, failure_ratio = 1.0))]
fn heard(body: Body) -> Outcome {
    body()
}

/// sony/gobreaker#37 and PR 119: who asked the breaker anything when it told of a change waited for a lock that it held itself.
#[test]
fn bug_22_who_is_told_of_a_change_may_ask_change_and_call() {
    let meddlers: [fn(&'static Breaker); 5] = [
        |breaker| drop((breaker.state(), breaker.failures(), breaker.counts(), breaker.is_shadow(), heard(good))),
        |_| drop((heard(bad), heard(good), heard(bad))),
        |breaker| breaker.force_open(),
        |breaker| breaker.reset(),
        |breaker| {
            if breaker.state() == State::Open {
                breaker.disable();
                breaker.shadow();
                drop(heard(bad));
                breaker.reset();
            }
        },
    ];
    let (done, is_done) = mpsc::channel();
    std::thread::spawn(move || {
        let clock = TurnedClock::start();
        for meddler in meddlers {
            let subscriber = tracing_subscriber::registry().with(Meddler(meddler));
            tracing::subscriber::with_default(subscriber, || {
                drop(heard(bad));
                clock.advance(Duration::from_secs(60));
                drop((heard(bad), heard(good), heard(good)));
                breaker("museum 22").force_open();
                breaker("museum 22").disable();
                breaker("museum 22").reset();
            });
            breaker("museum 22").reset();
            quiesce(&clock, &[Named::Breaker("museum 22")]);
        }
        done.send(()).ok();
    });
    is_done.recv_timeout(Duration::from_secs(20)).expect("no deadlock");
}

/// mofa#1070, PR 1338: one panic under a lock poisoned it, and every later call panicked.
#[test]
fn bug_23_a_panic_in_any_hook_spoils_no_later_call() {
    struct Panics;
    impl<S: Subscriber> Layer<S> for Panics {
        fn on_event(&self, event: &Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
            panic!("told of {}", event.metadata().name());
        }
    }
    macro_rules! guarded {
        ($name:ident, $($policy:tt)*) => {
            #[resilient(
                retries = 2, budget = none, breaker(name = "museum 23", failure_threshold = 4, failure_ratio = 1.0),
                bucket = "museum 23", rate = 1_000, burst = 100, bulkhead = "museum 23", concurrency = 2, $($policy)*
            )]
            fn $name(body: Body) -> Outcome {
                body()
            }
        };
    }
    guarded!(call, max_wait = "5s");
    guarded!(retry_if, retry_if = |_| panic!("retry_if"));
    guarded!(classify, classify = |_| panic!("classify"));
    guarded!(map_err, map_err = |_| panic!("map_err"));
    guarded!(fallback, fallback = |_| panic!("fallback"));
    let clock = TurnedClock::start();
    let panics = |call: &dyn Fn() -> Outcome| assert!(catch_unwind(AssertUnwindSafe(call)).is_err());
    for _ in 0..5 {
        panics(&|| call(|| panic!("body")));
        panics(&|| retry_if(bad));
        panics(&|| classify(bad));
        panics(&|| fallback(bad));
        breaker("museum 23").force_open();
        panics(&|| map_err(bad));
        panics(&|| fallback(bad));
        breaker("museum 23").reset();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(Panics), || {
            panics(&|| call(bad));
            trip("museum 23", |_| catch_unwind(|| call(bad)).unwrap_or_else(|_| bad()));
            clock.advance(Duration::from_secs(60));
            panics(&|| call(bad));
            panics(&|| {
                breaker("museum 23").reset();
                good()
            });
        });
    }
    for _ in 0..1_000 {
        assert_eq!(call(good), Ok(()));
    }
    quiesce(&clock, &[Named::Breaker("museum 23"), Named::Bucket("museum 23"), Named::Bulkhead("museum 23")]);
}

/// mofa#1070, PR 1338: nor does a waker that panics, which is a runtime's code and no longer ours.
#[test]
fn bug_23_a_waker_that_panics_loses_no_place_in_line() {
    struct Bomb;
    impl Wake for Bomb {
        fn wake(self: Arc<Self>) {
            panic!("waker");
        }
    }
    #[resilient(bulkhead = "museum 23, waker", concurrency = 1, max_wait = none)]
    async fn call(gate: &Cell<bool>) -> Outcome {
        std::future::poll_fn(|_| if gate.get() { Poll::Ready(good()) } else { Poll::Pending }).await
    }
    let (clock, gate) = (TurnedClock::start(), Cell::new(false));
    for _ in 0..10 {
        gate.set(false);
        let (mut holds, mut waits) = (Box::pin(call(&gate)), Box::pin(call(&gate)));
        assert!(poll_once(holds.as_mut()).is_pending());
        let bomb = Waker::from(Arc::new(Bomb));
        assert!(waits.as_mut().poll(&mut Context::from_waker(&bomb)).is_pending());
        assert!(catch_unwind(AssertUnwindSafe(|| drop(holds))).is_err());
        gate.set(true);
        assert_eq!(poll_once(waits.as_mut()), Poll::Ready(Ok(())));
    }
    quiesce(&clock, &[Named::Bulkhead("museum 23, waker")]);
}

/// resilience4j#2325, #1116: new settings were a new breaker, closed and with nothing counted, and listeners stayed with the old one.
#[test]
fn bug_24_new_settings_keep_an_open_circuit_open_and_its_listeners() {
    #[resilient(breaker(name = "museum 24", failure_threshold = 2))]
    fn call(body: Body) -> Outcome {
        body()
    }
    let threshold = |failures| {
        let settings = CircuitBreaker::new().failure_threshold(failures);
        resilient::configure().breaker("museum 24", settings).lenient().install().unwrap();
    };
    let (_turn, clock, told) = (configuring(), TurnedClock::start(), Told::default());
    with_default(&told.dispatch(), || {
        trip("museum 24", call);
        clock.advance(Duration::from_secs(1));
        let wait = call(good).unwrap_err().rejected().retry_after();
        threshold(10);
        assert_eq!(call(good).unwrap_err().rejected().retry_after(), wait, "it opened when it opened");
        assert_eq!(breaker("museum 24").state(), State::Open);
        clock.advance(RECOVERY);
        assert_eq!((call(good), call(good)), (Ok(()), Ok(())));
        assert_eq!(told.take(), ["circuit_opened", "circuit_half_open", "circuit_closed"]);
        (0..9).for_each(|_| drop(call(bad)));
        assert_eq!((breaker("museum 24").state(), breaker("museum 24").failures()), (State::Closed, 9));
        threshold(11);
        assert_eq!(breaker("museum 24").failures(), 9, "what was counted is kept");
        (0..2).for_each(|_| drop(call(bad)));
        assert_eq!((breaker("museum 24").state(), told.take()), (State::Open, vec!["circuit_opened"]));
    });
    quiesce(&clock, &[Named::Breaker("museum 24")]);
    resilient::configure().lenient().install().unwrap();
}

/// resilience4j#2325, #1116: two places that say different things of one name are an error that names both, and not the last one's.
#[test]
fn bug_24_two_functions_that_contradict_each_other_are_both_named() {
    #[resilient(breaker(name = "museum 24, contradicted", failure_threshold = 2), name = "museum 24, one")]
    fn one() -> Outcome {
        bad()
    }
    #[resilient(breaker(name = "museum 24, contradicted", failure_threshold = 3), name = "museum 24, two")]
    fn two() -> Outcome {
        bad()
    }
    let (_turn, clock) = (configuring(), TurnedClock::start());
    let error = resilient::configure().install().unwrap_err();
    let said = error.problems().map(ToString::to_string).find(|problem| problem.contains("museum 24, contradicted"));
    let said = said.unwrap();
    assert!(said.contains("museum 24, one") && said.contains("museum 24, two"), "{said}");
    assert_eq!((one(), two()), (bad(), bad()));
    quiesce(&clock, &[Named::Breaker("museum 24, contradicted")]);
}
