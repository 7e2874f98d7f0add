//! Bugs 52 to 62: waits for tokens that are told wrong, and lines that are woken for nothing or go all at once.

#![expect(clippy::unchecked_time_subtraction, reason = "a test fails by panicking")]

use super::pages::assert_says;
use super::rate::{SECOND, Started, YEAR, bucket, nanos, take_all, told, waiter};
use crate::support::{Named, ServiceError, configuring, millis, poll_once, quiesce, quiesce_paused, ready};
use resilient::testing::TurnedClock;
use resilient::{Policy, Rate, Rejected};
use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// Rates whose intervals are whole nanoseconds, and such whose are not.
fn rates() -> [Rate; 10] {
    [
        Rate::per_second(1),
        Rate::per_second(3),
        Rate::per_second(9).burst(4),
        Rate::per_second(7_999).burst(20),
        Rate::per_second(6_000),
        Rate::per_second(999_999_937).burst(5),
        Rate::per_minute(10).burst(3),
        Rate::per_day(100).burst(2),
        Rate::per_day(1),
        Rate::per(7, Duration::from_secs(90)).burst(7),
    ]
}

/// bucket4j#88, aiolimiter#217, `ratelimit_meter`#36: the wait that was told left out what was there already, and was too long.
#[test]
fn bug_52_after_the_wait_that_is_told_there_is_a_token_and_not_a_nanosecond_before() {
    for (number, rate) in rates().into_iter().enumerate() {
        let name = format!("told exactly {number}");
        let bucket = bucket(&name, rate);
        let (clock, mut random) = (TurnedClock::start(), fastrand::Rng::with_seed(52));
        for _ in 0..100 {
            let burst = u32::try_from(take_all(bucket).max(1)).unwrap();
            clock.advance(nanos(random.u64(0..told(bucket, 1).as_nanos().try_into().unwrap())));
            let tokens = random.u32(1..=burst);
            let wait = told(bucket, tokens);
            let mut waited = Duration::ZERO;
            for part in [2, 4, 10, 1_000_000] {
                let until = wait - (wait / part).max(nanos(1));
                clock.advance(until.saturating_sub(waited));
                waited = waited.max(until);
                assert_eq!(told(bucket, tokens), wait - waited, "{rate}: {tokens} after {waited:?} of {wait:?}");
            }
            clock.advance(wait - waited - nanos(1));
            assert_eq!(told(bucket, tokens), nanos(1), "{rate}: a nanosecond early");
            clock.advance(nanos(1));
            assert_eq!(bucket.try_acquire(tokens), Ok(()), "{rate}: {tokens} after {wait:?}");
        }
        quiesce(&clock, &[Named::Bucket(&name)]);
    }
}

/// bucket4j#88: what a refusal told was another estimate than the bucket's.
#[test]
fn bug_52_a_refused_call_is_told_the_same_and_is_admitted_then() {
    for rate in rates() {
        let policy = Policy::builder().rate(rate).max_wait(Duration::ZERO).build().unwrap();
        let call = || policy.run(|| Ok::<_, ServiceError>(()));
        let clock = TurnedClock::start();
        for _ in 0..50 {
            while call().is_ok() {}
            let wait = call().unwrap_err().rejected().retry_after().unwrap();
            clock.advance(wait - nanos(1));
            assert_eq!(call().unwrap_err().rejected().retry_after(), Some(nanos(1)), "{rate}");
            clock.advance(nanos(1));
            assert_eq!(call(), Ok(()), "{rate}");
        }
    }
}

/// Waits around what whole seconds, milliseconds and tenths round to.
const WAITS: [u64; 16] = [
    1,
    999,
    1_000_000,
    1_000_001,
    99_960_000,
    999_000_000,
    999_999_999,
    1_000_000_000,
    1_000_000_001,
    1_040_000_000,
    1_999_999_999,
    2_000_000_000,
    59_999_999_999,
    60_000_000_000,
    3_600_040_000_000,
    3_600_000_000_001,
];

/// The refusal of a call whose token is due in that time.
fn refused_for(wait: u64) -> Rejected {
    let _clock = TurnedClock::start();
    let policy = Policy::builder().rate(Rate::per(1, nanos(wait)).burst(1)).max_wait(Duration::ZERO).build().unwrap();
    policy.run(|| Ok::<_, ServiceError>(())).unwrap();
    policy.run(|| Ok::<_, ServiceError>(())).unwrap_err().rejected()
}

/// redis-cell#56, dragonfly#8288, tower-governor PR 62: rounded down to whole seconds the wait was too short, and rounded up a whole one became two.
#[cfg(feature = "axum")]
#[test]
fn bug_53_the_header_rounds_up_and_leaves_whole_seconds_alone() {
    use axum::response::IntoResponse as _;
    for wait in WAITS {
        let rejected = refused_for(wait);
        assert_eq!(rejected.retry_after(), Some(nanos(wait)));
        let response = rejected.into_response();
        let said: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert_eq!(said, wait.div_ceil(SECOND), "{wait} ns");
    }
}

/// A subscriber that keeps the last `retry_after_ms`.
#[derive(Clone, Default)]
struct Millis(std::sync::Arc<std::sync::atomic::AtomicU64>);

impl<S: Subscriber> Layer<S> for Millis {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        event.record(&mut self.clone());
    }
}

impl Visit for Millis {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "retry_after_ms" {
            self.0.store(value, Ordering::Relaxed);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

/// redis-cell#56, dragonfly#8288: the same in whatever unit it was told.
#[test]
fn bug_53_events_and_sentences_round_up_and_leave_whole_numbers_alone() {
    for wait in WAITS {
        let millis = Millis::default();
        let rejected = tracing::subscriber::with_default(tracing_subscriber::registry().with(millis.clone()), || refused_for(wait));
        assert_eq!(millis.0.load(Ordering::Relaxed), wait.div_ceil(1_000_000), "{wait} ns");
        let sentence = rejected.to_string();
        let (_, said) = sentence.split_once("try again in ").unwrap();
        let (said, _) = said.split_once(' ').unwrap();
        let digits = said.trim_end_matches(|unit: char| !unit.is_ascii_digit());
        let unit = match &said[digits.len()..] {
            "ns" => 1,
            "µs" => 1_000,
            "ms" => 1_000_000,
            "s" => SECOND,
            other => panic!("{other}"),
        };
        let tenths = digits.replace('.', "").parse::<u64>().unwrap() * unit / 10;
        assert!(tenths >= wait && tenths - wait < unit.div_ceil(10), "{wait} ns: {sentence}");
    }
}

/// So many calls of that policy in tasks of their own, and how often they are polled.
async fn stand_in_line(policy: &Policy, waiters: u32, started: &Rc<Cell<u32>>) -> Rc<Cell<u32>> {
    let polls = Rc::new(Cell::new(0));
    for _ in 0..waiters {
        let (policy, polls, started) = (policy.clone(), Rc::clone(&polls), Rc::clone(started));
        tokio::task::spawn_local(async move {
            let body = async || {
                started.set(started.get() + 1);
                Ok::<_, ServiceError>(())
            };
            let mut call = pin!(policy.run_async(body));
            poll_fn(|context| {
                polls.set(polls.get() + 1);
                call.as_mut().poll(context)
            })
            .await
        });
    }
    while polls.get() < waiters {
        tokio::task::yield_now().await;
    }
    polls
}

/// aiolimiter#73, tower-resilience#365: every waiter was woken at every tick, a thousand for one token, or one woke itself without end.
#[tokio::test(start_paused = true)]
async fn bug_58_ten_thousand_waiters_are_polled_when_they_come_and_when_it_is_their_turn() {
    const WAITERS: u32 = 10_000;
    let policy = Policy::builder().rate(Rate::per_second(1)).max_wait(Duration::MAX).build().unwrap();
    let waiting = async {
        let started = Rc::default();
        let polls = stand_in_line(&policy, WAITERS, &started).await;
        assert_eq!(started.get(), 1);
        tokio::time::sleep(millis(990)).await;
        assert_eq!(polls.get(), WAITERS, "nobody is polled while nothing can be admitted");
        tokio::time::sleep(Duration::from_secs(100)).await;
        assert_eq!((polls.get(), started.get()), (WAITERS + 100, 101));
    };
    tokio::task::LocalSet::new().run_until(waiting).await;
}

/// aiolimiter#73: and whatever changed woke everybody, whom it concerned or not.
#[test]
fn bug_58_a_reload_wakes_those_alone_whose_rate_it_changes() {
    let named = |name| Policy::builder().bucket(name).max_wait(Duration::MAX).build().unwrap();
    let (kept, changed) = (named("kept by a reload"), named("changed by a reload"));
    let install = |rate| {
        let rates = resilient::configure().bucket("kept by a reload", Rate::per_second(1)).bucket("changed by a reload", rate);
        rates.lenient().install().unwrap();
    };
    let _turn = configuring();
    install(Rate::per_second(1));
    let waiting = async {
        let started = Rc::default();
        let (kept, changed) = (stand_in_line(&kept, 100, &started).await, stand_in_line(&changed, 100, &started).await);
        for _ in 0..10 {
            install(Rate::per_second(1));
            tokio::time::sleep(millis(1)).await;
        }
        assert_eq!((kept.get(), changed.get()), (100, 100));
        install(Rate::per_minute(1));
        tokio::time::sleep(millis(1)).await;
        assert_eq!((kept.get(), changed.get()), (100, 100 + 99));
        resilient::configure().lenient().install().unwrap();
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, waiting);
    runtime.block_on(quiesce_paused(&[Named::Bucket("kept by a reload"), Named::Bucket("changed by a reload")]));
}

/// guava#1622, guava#2662, resilience4j#1283: the longest patience overflowed, and a wait that could not succeed was waited for in vain.
#[test]
fn bug_59_a_call_waits_if_its_token_is_due_by_then_and_is_refused_at_once_if_not() {
    let due = Duration::from_secs(1);
    for max_wait in
        [Duration::ZERO, nanos(1), due - nanos(1), due, due + nanos(1), YEAR, Duration::from_secs(u64::MAX), Duration::MAX]
    {
        for is_async in [false, true] {
            let policy = Policy::builder().rate(1).max_wait(max_wait).build().unwrap();
            let body = || Ok::<_, ServiceError>(());
            let call = || if is_async { ready(policy.run_async(async || body())) } else { policy.run(body) };
            let clock = TurnedClock::start();
            assert_eq!(call(), Ok(()));
            match call() {
                Ok(()) => assert!(due <= max_wait && clock.waits() == [due], "{max_wait:?}"),
                Err(error) => {
                    let rejected = error.rejected();
                    assert!(matches!(rejected, Rejected::RateLimited(_)) && due > max_wait, "{max_wait:?}");
                    assert_eq!((rejected.retry_after(), clock.elapsed()), (Some(due), Duration::ZERO));
                }
            }
        }
    }
}

/// systemd#42912: a clock that stands still while the machine sleeps kept a limit of 26 hours for 26 hours of waking.
#[test]
fn bug_62_hours_that_pass_at_once_give_the_burst_and_no_more() {
    for (number, rate) in [Rate::per_second(10).burst(5), Rate::per_hour(1), Rate::per_day(1).burst(3)].into_iter().enumerate() {
        let name = format!("slept {number}");
        let bucket = bucket(&name, rate);
        let clock = TurnedClock::start();
        take_all(bucket);
        let mut slept = 0;
        for hours in [8, 26, 48] {
            clock.advance(Duration::from_secs(hours * 3_600));
            let days = (slept + hours) / 24 - slept / 24;
            slept += hours;
            let worth = [5, 1, days][number];
            assert_eq!(take_all(bucket), worth, "{rate} after {hours} h");
        }
        quiesce(&clock, &[Named::Bucket(&name)]);
    }
}

/// systemd#42912: those who had been in line when it fell asleep all went when it woke.
#[tokio::test(start_paused = true)]
async fn bug_62_those_in_line_when_hours_pass_at_once_go_on_at_the_rate() {
    let policy = Policy::builder().rate(Rate::per_second(1).burst(1)).max_wait(Duration::MAX).build().unwrap();
    let started = Started::default();
    let mut waiting: Vec<_> = (0..50).map(|_| waiter(&policy, &started)).collect();
    assert_eq!(started.borrow().len(), 1);
    tokio::time::advance(Duration::from_secs(8 * 3_600)).await;
    let woke = Instant::now();
    waiting.retain_mut(|waiter| poll_once(waiter.as_mut()).is_pending());
    assert_eq!(started.borrow().len(), 2, "one token was saved up");
    while !waiting.is_empty() {
        tokio::time::advance(millis(10)).await;
        waiting.retain_mut(|waiter| poll_once(waiter.as_mut()).is_pending());
    }
    for (number, at) in (0_u64..).zip(&started.borrow()[1..]) {
        let slot = Duration::from_secs(number);
        assert!((slot..=slot + millis(12)).contains(&(*at - woke)), "{number}: {:?}", *at - woke);
    }
}

/// systemd#42912: nothing said what a sleep of the machine means.
#[test]
fn bug_62_the_guide_says_what_a_sleep_of_the_machine_means() {
    assert_says("docs/guide/settings.md", &["While the machine sleeps, our clock may stand still", "never more than its burst"]);
}
