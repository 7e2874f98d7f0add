use crate::support::{Counter, ServiceError, millis, ready};
use resilient::testing::TurnedClock;
use resilient::{Backoff, Jitter, Rejected, Verdict, resilient};
use std::error::Error;
use std::time::Duration;

#[resilient(retries = 3, jitter = none)]
fn call(attempts: &Counter, failing: u32) -> Result<u32, ServiceError> {
    if attempts.count() <= failing { Err(ServiceError::Reset) } else { Ok(attempts.get()) }
}

#[resilient(retries = 3, jitter = none)]
async fn call_async(attempts: &Counter, failing: u32) -> Result<u32, ServiceError> {
    if attempts.count() <= failing { Err(ServiceError::Reset) } else { Ok(attempts.get()) }
}

#[test]
fn three_retries_are_at_most_four_calls_and_the_last_error_comes_back_unchanged() {
    let clock = TurnedClock::start();
    for failing in 0..=3 {
        assert_eq!(call(&Counter::default(), failing), Ok(failing + 1));
        assert_eq!(ready(call_async(&Counter::default(), failing)), Ok(failing + 1));
    }
    let attempts = Counter::default();
    assert_eq!(call(&attempts, u32::MAX), Err(ServiceError::Reset));
    assert_eq!(attempts.get(), 4);
    let before = clock.waits().len();
    assert_eq!(ready(call_async(&Counter::default(), u32::MAX)), Err(ServiceError::Reset));
    assert_eq!(clock.waits()[before..], [millis(100), millis(200), millis(400)]);
}

#[tokio::test(start_paused = true)]
async fn tokios_paused_clock_turns_the_waits() {
    let start = tokio::time::Instant::now();
    assert!(call_async(&Counter::default(), u32::MAX).await.is_err());
    assert_eq!(start.elapsed(), millis(700));
}

#[test]
fn every_backoff_has_its_schedule() {
    #[resilient(retries = 4, backoff = linear, jitter = none, base_delay = "10ms")]
    fn linear() -> Result<(), ServiceError> {
        Err(ServiceError::Reset)
    }
    #[resilient(retries = 4, backoff = constant, jitter = none, base_delay = "10ms")]
    fn constant() -> Result<(), ServiceError> {
        Err(ServiceError::Reset)
    }
    #[resilient(retries = 4, backoff = fibonacci, jitter = none, base_delay = "10ms")]
    fn fibonacci() -> Result<(), ServiceError> {
        Err(ServiceError::Reset)
    }
    #[resilient(retries = 4, backoff = exponential, jitter = none, base_delay = "10ms", max_delay = "30ms")]
    fn capped() -> Result<(), ServiceError> {
        Err(ServiceError::Reset)
    }
    let waits = |call: fn() -> Result<(), ServiceError>| {
        let clock = TurnedClock::start();
        assert!(call().is_err());
        clock.waits().iter().map(Duration::as_millis).collect::<Vec<_>>()
    };
    assert_eq!(waits(linear), [10, 20, 30, 40]);
    assert_eq!(waits(constant), [10, 10, 10, 10]);
    assert_eq!(waits(fibonacci), [10, 10, 20, 30]);
    assert_eq!(waits(capped), [10, 20, 30, 30]);
}

#[test]
fn jitter_spreads_within_its_bounds() {
    #[resilient(retries = 1, base_delay = "100ms", budget = none)]
    fn full() -> Result<(), ServiceError> {
        Err(ServiceError::Reset)
    }
    #[resilient(retries = 1, base_delay = "100ms", jitter = equal, budget = none)]
    fn equal() -> Result<(), ServiceError> {
        Err(ServiceError::Reset)
    }
    #[resilient(retries = 1, base_delay = "100ms", jitter = 0.25, budget = none)]
    fn quarter() -> Result<(), ServiceError> {
        Err(ServiceError::Reset)
    }
    #[resilient(retries = 1, base_delay = "100ms", backoff = decorrelated, budget = none)]
    fn decorrelated() -> Result<(), ServiceError> {
        Err(ServiceError::Reset)
    }
    let cases: [(fn() -> Result<(), ServiceError>, u64, u64); 4] =
        [(full, 0, 100), (equal, 50, 100), (quarter, 75, 125), (decorrelated, 100, 300)];
    for (call, low, high) in cases {
        let clock = TurnedClock::start();
        for _ in 0..1_000 {
            assert!(call().is_err());
        }
        let waits = clock.waits();
        assert!(waits.iter().all(|wait| (millis(low)..=millis(high)).contains(wait)));
        let fifth = millis(high - low) / 5;
        assert!(waits.iter().any(|wait| *wait < millis(low) + fifth), "the lower end is used");
        assert!(waits.iter().any(|wait| *wait + fifth > millis(high)), "the upper end is used");
    }
}

#[test]
fn settings_may_be_expressions_of_parameters() {
    struct Client {
        retries: u32,
        base: Duration,
    }
    impl Client {
        const LONGEST: Duration = Duration::from_millis(25);

        #[resilient(
            retries = self.retries + extra,
            base_delay = self.base,
            max_delay = Self::LONGEST,
            backoff = Backoff::Exponential,
            jitter = Jitter::None
        )]
        fn fetch(&self, extra: u32) -> Result<(), ServiceError> {
            Err(ServiceError::Reset)
        }
    }
    let clock = TurnedClock::start();
    assert!(Client { retries: 2, base: millis(10) }.fetch(1).is_err());
    assert_eq!(clock.waits(), [millis(10), millis(20), millis(25)]);
}

#[resilient(retries = 5, jitter = none, base_delay = "10ms", max_retry_after = "2s")]
fn hinted(attempts: &Counter, wait: u64) -> Result<(), ServiceError> {
    match attempts.count() {
        1 => Err(ServiceError::SlowDown { wait: Some(millis(wait)) }),
        2 => Err(ServiceError::Maintenance { wait: millis(wait) }),
        _ => Ok(()),
    }
}

#[test]
fn a_server_is_never_asked_earlier_than_it_says_and_little_later() {
    for wait in [1_000, 1_900, 2_000] {
        let clock = TurnedClock::start();
        assert!(hinted(&Counter::default(), wait).is_ok());
        let longest = millis((wait + wait / 10).min(2_000));
        assert!(clock.waits().iter().all(|waited| (millis(wait)..=longest).contains(waited)), "{:?}", clock.waits());
    }
}

#[test]
fn our_own_wait_stands_where_it_is_longer_than_the_hint() {
    let clock = TurnedClock::start();
    assert!(hinted(&Counter::default(), 1).is_ok());
    assert!(clock.waits()[0] >= millis(10) && clock.waits()[1] >= millis(20));
}

#[test]
fn a_hint_longer_than_the_limit_ends_the_call_at_once() {
    let clock = TurnedClock::start();
    let attempts = Counter::default();
    assert_eq!(hinted(&attempts, 2_001), Err(ServiceError::SlowDown { wait: Some(millis(2_001)) }));
    assert_eq!((attempts.get(), clock.waits().len()), (1, 0));
}

#[test]
fn permanent_and_ignored_errors_are_not_retried() {
    #[resilient(retries = 3)]
    fn fails(attempts: &Counter, error: fn() -> ServiceError) -> Result<(), ServiceError> {
        attempts.count();
        Err(error())
    }
    for error in [|| ServiceError::NotFound, || ServiceError::BadQuestion] as [fn() -> ServiceError; 2] {
        let attempts = Counter::default();
        assert!(fails(&attempts, error).is_err());
        assert_eq!(attempts.get(), 1);
    }
}

#[test]
fn retry_if_decides_instead_of_the_classification() {
    #[resilient(retries = 3, retry_if = |error| matches!(error, ServiceError::NotFound), base_delay = "1ms")]
    fn fails(attempts: &Counter, error: fn() -> ServiceError) -> Result<(), ServiceError> {
        attempts.count();
        Err(error())
    }
    let clock = TurnedClock::start();
    let attempts = Counter::default();
    assert!(fails(&attempts, || ServiceError::NotFound).is_err());
    assert_eq!(attempts.get(), 4);
    assert!(fails(&attempts, || ServiceError::Reset).is_err());
    assert_eq!((attempts.get(), clock.waits().len()), (5, 3));
}

#[test]
fn classify_judges_values_too_and_the_last_one_is_returned() {
    fn judge(outcome: &Option<u32>) -> Verdict {
        if outcome.is_some() { Verdict::Success } else { Verdict::TRANSIENT }
    }
    #[resilient(retries = 2, classify = judge, base_delay = "1ms")]
    fn find(attempts: &Counter, at: u32) -> Option<u32> {
        (attempts.count() == at).then_some(at)
    }
    let _clock = TurnedClock::start();
    assert_eq!(find(&Counter::default(), 3), Some(3));
    assert_eq!(find(&Counter::default(), 4), None);
}

#[test]
fn a_budget_stops_retries_of_an_outage_and_healthy_calls_earn_them_back() {
    #[resilient(retries = 1, jitter = none, base_delay = "1ns")]
    fn call(fails: bool) -> Result<(), ServiceError> {
        if fails { Err(ServiceError::Reset) } else { Ok(()) }
    }
    let clock = TurnedClock::start();
    let retries = |calls: u32, fails: bool| {
        let before = clock.waits().len();
        (0..calls).for_each(|_| drop(call(fails)));
        clock.waits().len() - before
    };
    assert_eq!(retries(1_000, true), 100);
    assert_eq!(retries(1_000, true), 0);
    assert_eq!(retries(50, false), 0);
    assert_eq!(retries(1_000, true), 10, "fifty successes earn ten retries");
    clock.advance(Duration::from_secs(1));
    assert_eq!(retries(1_000, true), 10, "and so does a second");
}

#[test]
fn budgets_are_a_share_or_none_or_shared_by_name() {
    #[resilient(retries = 1, budget = none, jitter = none, base_delay = "1ns")]
    fn unlimited() -> Result<(), ServiceError> {
        Err(ServiceError::Reset)
    }
    #[resilient(retries = 1, budget = "retry tests", jitter = none, base_delay = "1ns")]
    fn one() -> Result<(), ServiceError> {
        Err(ServiceError::Reset)
    }
    #[resilient(retries = 1, budget = "retry tests", jitter = none, base_delay = "1ns")]
    fn other() -> Result<(), ServiceError> {
        Err(ServiceError::Reset)
    }
    #[resilient(retries = 1, budget = 1.0, jitter = none, base_delay = "1ns")]
    fn whole(fails: bool) -> Result<(), ServiceError> {
        if fails { Err(ServiceError::Reset) } else { Ok(()) }
    }
    let clock = TurnedClock::start();
    let retries = |calls: u32, call: &dyn Fn() -> Result<(), ServiceError>| {
        let before = clock.waits().len();
        (0..calls).for_each(|_| drop(call()));
        clock.waits().len() - before
    };
    assert_eq!(retries(500, &unlimited), 500);
    assert_eq!((retries(60, &one), retries(60, &other), retries(60, &one)), (60, 40, 0));
    assert_eq!(retries(200, &|| whole(true)), 100);
    assert_eq!(retries(7, &|| whole(false)), 0);
    assert_eq!(retries(200, &|| whole(true)), 7);
}

#[test]
fn functions_of_one_breaker_share_a_budget() {
    #[resilient(retries = 1, breaker(name = "budget by breaker", failure_threshold = 1_000_000), jitter = none, base_delay = "1ns")]
    fn one() -> Result<(), ServiceError> {
        Err(ServiceError::Reset)
    }
    #[resilient(retries = 1, breaker = "budget by breaker", jitter = none, base_delay = "1ns")]
    fn other() -> Result<(), ServiceError> {
        Err(ServiceError::Reset)
    }
    let clock = TurnedClock::start();
    (0..90).for_each(|_| drop(one()));
    (0..90).for_each(|_| drop(other()));
    assert_eq!(clock.waits().len(), 100);
}

#[test]
fn a_retry_that_would_start_after_the_deadline_is_not_waited_for() {
    #[resilient(retries = 9, jitter = none, base_delay = "4s", max_delay = "60s", deadline = "5s")]
    fn call(attempts: &Counter) -> Result<(), ServiceError> {
        attempts.count();
        Err(ServiceError::Reset)
    }
    let clock = TurnedClock::start();
    let attempts = Counter::default();
    assert_eq!(call(&attempts), Err(ServiceError::Reset));
    assert_eq!((attempts.get(), clock.elapsed()), (2, Duration::from_secs(4)));
}

#[test]
fn an_unclassified_error_is_transient_and_needs_nothing() {
    #[resilient(retries = 2, base_delay = "1ms")]
    fn text(attempts: &Counter) -> Result<(), String> {
        Err(format!("attempt {}", attempts.count()))
    }
    #[resilient(retries = 2, base_delay = "1ms")]
    fn nothing(attempts: &Counter) -> Result<(), ()> {
        attempts.count();
        Err(())
    }
    #[resilient(retries = 2, base_delay = "1ms")]
    fn generic<E>(attempts: &Counter, error: fn() -> E) -> Result<(), E> {
        attempts.count();
        Err(error())
    }
    let _clock = TurnedClock::start();
    assert_eq!(text(&Counter::default()), Err("attempt 3".to_owned()));
    let attempts = Counter::default();
    assert_eq!(nothing(&attempts), Err(()));
    assert_eq!(generic(&attempts, || 7_u8), Err(7));
    assert_eq!(attempts.get(), 6);
}

#[test]
fn a_generic_error_takes_part_through_its_bound() {
    #[resilient(retries = 2, base_delay = "1ms")]
    fn generic<E: resilient::Classify>(attempts: &Counter, error: fn() -> E) -> Result<(), E> {
        attempts.count();
        Err(error())
    }
    let _clock = TurnedClock::start();
    let attempts = Counter::default();
    assert_eq!(generic(&attempts, || ServiceError::NotFound), Err(ServiceError::NotFound));
    assert_eq!(attempts.get(), 1);
}

#[test]
fn an_inner_refusal_is_neither_retried_nor_counted_however_it_is_wrapped() {
    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] anyhow::Error);

    impl From<Rejected> for Outer {
        fn from(rejected: Rejected) -> Self {
            Self(rejected.into())
        }
    }

    #[resilient(rate = "1/day", bucket = "inner refusal", max_wait = "0s")]
    fn inner() -> Result<(), ServiceError> {
        Ok(())
    }
    #[resilient(retries = 3, retry_if = |_| true, breaker(name = "inner refusal", failure_threshold = 1))]
    fn wrapped(attempts: &Counter) -> Result<(), Outer> {
        attempts.count();
        inner().map_err(|error| Outer(anyhow::Error::new(error).context("inner")))
    }
    #[resilient(retries = 3, breaker = "inner refusal")]
    fn anyhow(attempts: &Counter) -> anyhow::Result<()> {
        attempts.count();
        Ok(inner()?)
    }
    let _clock = TurnedClock::start();
    inner().unwrap();
    let attempts = Counter::default();
    assert!(wrapped(&attempts).is_err());
    assert!(anyhow(&attempts).is_err());
    assert_eq!(attempts.get(), 2);
    assert_eq!(resilient::breaker("inner refusal").failures(), 0);
}

#[test]
fn no_retry_if_tries_a_refusal_again_whatever_the_error_hides_it_in() {
    #[resilient(breaker = "hidden refusal")]
    fn inner() -> Result<(), Rejected> {
        Ok(())
    }
    #[resilient(retries = 3, retry_if = |_| true)]
    fn boxed(attempts: &Counter) -> Result<(), Box<dyn Error>> {
        attempts.count();
        Ok(inner()?)
    }
    #[resilient(retries = 3, retry_if = |_| true)]
    fn boxed_to_send(attempts: &Counter) -> Result<(), Box<dyn Error + Send>> {
        attempts.count();
        inner().map_err(|rejected| Box::new(rejected) as _)
    }
    #[resilient(retries = 3, retry_if = |_| true)]
    fn boxed_to_share(attempts: &Counter) -> Result<(), Box<dyn Error + Send + Sync>> {
        attempts.count();
        Ok(inner()?)
    }
    #[resilient(retries = 3, retry_if = |_| true)]
    fn report(attempts: &Counter) -> anyhow::Result<()> {
        attempts.count();
        Err(anyhow::Error::new(inner().unwrap_err()).context("inner"))
    }
    #[resilient(retries = 3, retry_if = |_| true, base_delay = "1ms")]
    fn no_refusal(attempts: &Counter) -> Result<(), Box<dyn Error>> {
        attempts.count();
        Err("no refusal".into())
    }
    let clock = TurnedClock::start();
    resilient::breaker("hidden refusal").force_open();
    for (name, call) in [
        ("boxed", (|attempts| boxed(attempts).is_err()) as fn(&Counter) -> bool),
        ("boxed_to_send", |attempts| boxed_to_send(attempts).is_err()),
        ("boxed_to_share", |attempts| boxed_to_share(attempts).is_err()),
        ("report", |attempts| report(attempts).is_err()),
    ] {
        let attempts = Counter::default();
        assert!(call(&attempts), "{name}");
        assert_eq!(attempts.get(), 1, "{name}");
    }
    assert!(clock.waits().is_empty());
    let attempts = Counter::default();
    assert!(no_refusal(&attempts).is_err());
    assert_eq!(attempts.get(), 4);
}
