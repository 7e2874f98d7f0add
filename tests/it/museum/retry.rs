//! Bugs 34 to 44: retries that never end or lead nowhere, and what a retry repeats.

use super::backoff::{BACKOFFS, HOUR, JITTERS, SECOND, lost, waiting};
use super::pages::{assert_refused, assert_says, page};
use crate::support::{Counter, Named, ServiceError, configuring, millis, poll_once, quiesce, quiesce_paused, ready};
use http::{HeaderMap, HeaderValue, Response, header};
use resilient::testing::TurnedClock;
use resilient::{
    Backoff, CircuitBreaker, Jitter, Policy, PolicyBuilder, Rate, Rejected, RetryBudget, TryAcquireError, Verdict, resilient,
    retry_after,
};
use std::cell::Cell;
use std::io;
use std::time::Duration;

/// tenacity#45: a function that asked for another attempt itself was never told to stop.
#[test]
fn bug_34_whoever_asks_for_another_attempt_is_heard_as_often_as_retries_says() {
    #[resilient(retries = 3, retry_if = |_| true)]
    fn by_the_error(attempts: &Counter) -> Result<(), ServiceError> {
        attempts.count();
        Err(ServiceError::NotFound)
    }
    #[resilient(retries = 3, classify = |_| Verdict::TRANSIENT)]
    fn by_the_value(attempts: &Counter) -> u32 {
        attempts.count()
    }
    #[resilient(retries = 3)]
    fn by_a_hint(attempts: &Counter, wait: Duration) -> Result<(), ServiceError> {
        attempts.count();
        Err(ServiceError::SlowDown { wait: Some(wait) })
    }
    #[resilient(retries = 3, retry_if = |_| true, classify = |_| Verdict::Success)]
    async fn by_both(attempts: &Counter) -> Result<(), ServiceError> {
        attempts.count();
        Err(ServiceError::NotFound)
    }
    let (_clock, attempts) = (TurnedClock::start(), Counter::default());
    let counted = |expected| assert_eq!(attempts.get(), expected);
    assert_eq!(by_the_error(&attempts), Err(ServiceError::NotFound));
    counted(4);
    assert_eq!(by_the_value(&attempts), 8);
    counted(8);
    assert!(by_a_hint(&attempts, Duration::ZERO).is_err());
    counted(12);
    assert!(by_a_hint(&attempts, SECOND).is_err());
    counted(16);
    assert_eq!(ready(by_both(&attempts)), Err(ServiceError::NotFound));
    counted(20);
}

/// go-retryablehttp#272, backoff#42, tenacity PR 423, temporal PR 4403: a call slept up to its deadline for a retry that could not be.
#[tokio::test(start_paused = true)]
async fn bug_35_no_wait_leads_past_the_deadline_and_the_last_real_error_comes_back() {
    #[resilient(retries = 9, base_delay = "4s", max_delay = "1m", jitter = none, deadline = "5s")]
    async fn call(attempts: &Counter) -> Result<(), ServiceError> {
        attempts.count();
        lost()
    }
    #[resilient(retries = 9, base_delay = "4s", max_delay = "1m", jitter = none, deadline = "5s")]
    fn sync(attempts: &Counter) -> Result<(), ServiceError> {
        attempts.count();
        lost()
    }
    let (attempts, start) = (Counter::default(), tokio::time::Instant::now());
    assert_eq!(call(&attempts).await, Err(ServiceError::Reset));
    assert_eq!((attempts.get(), start.elapsed()), (2, 4 * SECOND), "it came back as the second attempt failed");
    let clock = TurnedClock::start();
    assert_eq!(sync(&attempts), Err(ServiceError::Reset));
    assert_eq!((attempts.get(), clock.waits()), (4, vec![4 * SECOND]));
}

/// go-retryablehttp#272: every other reason to wait slept past the limit as well.
#[test]
fn bug_35_neither_a_hint_nor_a_token_is_waited_for_past_the_deadline() {
    #[resilient(retries = 9, deadline = "5s")]
    fn hinted() -> Result<(), ServiceError> {
        Err(ServiceError::SlowDown { wait: Some(5 * SECOND) })
    }
    #[resilient(rate = "1/min", deadline = "5s", max_wait = none)]
    fn limited() -> Result<(), ServiceError> {
        Ok(())
    }
    let clock = TurnedClock::start();
    assert_eq!(hinted(), Err(ServiceError::SlowDown { wait: Some(5 * SECOND) }));
    limited().unwrap();
    assert!(matches!(limited().unwrap_err().rejected(), Rejected::RateLimited(_)));
    assert_eq!((clock.elapsed(), clock.waits()), (Duration::ZERO, Vec::new()));
    for delay in [4_999, 5_000, 5_001] {
        let policy = waiting(millis(delay), HOUR, Backoff::Constant, Jitter::None).retries(1).deadline(5 * SECOND);
        let (clock, policy) = (TurnedClock::start(), policy.build().unwrap());
        assert_eq!(policy.run(lost), Err(ServiceError::Reset));
        assert_eq!(clock.waits().len(), usize::from(delay < 5_000), "an attempt as the deadline passes would be none");
    }
}

/// cenkalti/backoff#120: a policy written as a struct lacked the value that means stop, and retried for ever.
#[test]
fn bug_36_whatever_can_be_built_makes_so_many_attempts_and_no_more() {
    let mut random = fastrand::Rng::with_seed(36);
    for _ in 0..500 {
        let mut policy = Policy::builder();
        let retries = random.bool().then(|| random.u32(0..200));
        for _ in 0..random.u32(0..5) {
            let base = Duration::from_nanos(random.u64(..3_600_000_000_000_u64));
            policy = match random.u32(0..7) {
                0 => policy.base_delay(base).max_delay(HOUR),
                1 => policy.backoff(BACKOFFS[random.usize(0..5)]),
                2 => policy.jitter(JITTERS[random.usize(0..6)]),
                3 => policy.budget(0.01 + random.f64() * 9.0),
                4 => policy.without_budget(),
                5 => policy.max_retry_after(base),
                _ => policy.rate(Rate::per_second(random.u64(1..1_000_000))).max_wait(Duration::MAX),
            };
        }
        let policy = retries.into_iter().fold(policy, PolicyBuilder::retries).build().unwrap();
        let (_clock, attempts) = (TurnedClock::start(), Counter::default());
        let failure = random.bool();
        let outcome = policy.run(|| {
            attempts.count();
            Err::<(), _>(if failure { ServiceError::Reset } else { ServiceError::SlowDown { wait: None } })
        });
        assert!(outcome.is_err() && attempts.get() <= retries.unwrap_or(0) + 1, "{policy:?}: {}", attempts.get());
    }
}

/// cenkalti/backoff#120: nothing kept users from leaving out what must be said.
#[test]
fn bug_36_settings_cannot_be_written_without_their_builders_and_are_valid_when_new() {
    let private =
        ["RetryBudget", "CircuitBreaker", "Rate", "Concurrency"].map(|settings| format!("of struct `{settings}` are private"));
    assert_refused("museum/settings_by_hand", "RetryBudget {", &private.each_ref().map(String::as_str));
    let policy = Policy::builder().breaker_with("valid when new", CircuitBreaker::new()).rate(1).concurrency(1).retries(1);
    assert!(policy.build().is_ok() && Policy::builder().build().is_ok());
    let _turn = configuring();
    resilient::configure().budget("valid when new", RetryBudget::new()).lenient().install().unwrap();
    resilient::configure().lenient().install().unwrap();
}

/// Answers with that `Retry-After`, as a server might send it.
fn answer(status: u16, hint: &[u8]) -> io::Result<Response<()>> {
    let hint = HeaderValue::from_bytes(hint).unwrap();
    Ok(Response::builder().status(status).header(header::RETRY_AFTER, hint).body(()).unwrap())
}

const HINTS: [&[u8]; 27] = [
    b"",
    b" ",
    b"0",
    b"-1",
    b"+5",
    b"5",
    b"61",
    b"1m0s",
    b"1.5",
    b"1e3",
    b"NaN",
    b"inf",
    b"0x10",
    b"9999999999",
    b"9223372036854775807",
    b"9223372036854775808",
    b"18446744073709551615",
    b"18446744073709551616",
    b"99999999999999999999999999999999999999999999",
    b"Thu, 01 Jan 1970 00:00:00 GMT",
    b"Fri, 31 Dec 9999 23:59:59 GMT",
    b"Fri, 31 Dec 99999 23:59:59 GMT",
    b"Sun, 06 Nov 1994 08:49:37 PST",
    b"Sunday, 06-Nov-94 08:49:37 GMT",
    b"Sun Nov  6 08:49:37 1994",
    b"Mon, 31 Feb 2027 25:61:61 GMT",
    b"\xff\xfe",
];

/// urllib3 PR 3743, urllib3#1822, urllib3#2144, httpx-retries#57: a hint overflowed the sleep, kept callers for twenty minutes, was `1m0s`, or meant another zone.
#[test]
fn bug_37_whatever_a_server_puts_into_retry_after_no_wait_is_longer_than_the_limit() {
    #[resilient(retries = 2, base_delay = "1ms", jitter = none, budget = none, max_retry_after = "60s")]
    fn call(status: u16, hint: &[u8], attempts: &Counter) -> io::Result<Response<()>> {
        attempts.count();
        answer(status, hint)
    }
    for status in [429, 503, 403] {
        for hint in HINTS {
            let (clock, attempts) = (TurnedClock::start(), Counter::default());
            assert_eq!(call(status, hint, &attempts).unwrap().status(), status);
            assert_eq!(clock.waits().len() + 1, attempts.get() as usize);
            assert!(clock.waits().iter().all(|wait| *wait <= 60 * SECOND), "{status} {hint:?}: {:?}", clock.waits());
        }
    }
}

/// urllib3#1822: what is no hint was taken for one.
#[test]
fn bug_37_what_is_no_hint_is_none_and_what_is_past_asks_for_nothing() {
    let read = |hint: &[u8]| {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, HeaderValue::from_bytes(hint).unwrap());
        headers.insert(header::DATE, HeaderValue::from_static("Sun, 06 Nov 1994 08:49:07 GMT"));
        retry_after(&headers)
    };
    for hint in ["", "-1", "+5", "1m0s", "1.5", "NaN", "Sun, 06 Nov 1994 08:49:37 PST", "Mon, 31 Feb 2027 25:61:61 GMT"] {
        assert_eq!(read(hint.as_bytes()), None, "{hint}");
    }
    assert_eq!(read(b"\xff\xfe"), None);
    assert_eq!(read(b"99999999999999999999999"), Some(Duration::from_secs(u64::MAX)));
    assert_eq!(read(b"Sun, 06 Nov 1994 08:49:37 GMT"), Some(30 * SECOND), "by the server's own clock");
    assert_eq!(read(b"Thu, 01 Jan 1970 00:00:00 GMT"), Some(Duration::ZERO));
    assert!(read(b"Fri, 31 Dec 9999 23:59:59 GMT") > Some(Duration::from_secs(8_000 * 365 * 86_400)));
}

/// httpx-retries#57: a limit on each hint let the server hold a caller for as long as there were retries.
#[test]
fn bug_37_a_deadline_bounds_all_the_hints_together() {
    #[resilient(retries = 20, deadline = "2m", budget = none)]
    fn call(hint: Duration) -> Result<(), ServiceError> {
        Err(ServiceError::SlowDown { wait: Some(hint) })
    }
    for hint in [Duration::from_nanos(1), SECOND, 59 * SECOND, 60 * SECOND, HOUR, Duration::from_secs(1 << 63), Duration::MAX] {
        let clock = TurnedClock::start();
        assert_eq!(call(hint), Err(ServiceError::SlowDown { wait: Some(hint) }));
        assert!(clock.elapsed() < 120 * SECOND, "{hint:?}");
        assert!(clock.waits().iter().all(|wait| (hint..=60 * SECOND).contains(wait)), "{hint:?}: never earlier than told");
    }
}

/// rush#18, kumomta PR 282: the time until the next token was a day and an end when there was one, and zero when there was none.
#[test]
fn bug_38_who_is_admitted_is_told_no_wait_and_who_is_refused_one_that_is_longer_than_zero() {
    for rate in [1, 3, 10, 999, 1_000_000, 999_999_937, 1_000_000_000].map(Rate::per_second) {
        let bucket = format!("told {rate}");
        let policy = Policy::builder().rate(rate.burst(2)).bucket(&bucket).max_wait(Duration::ZERO).build().unwrap();
        let clock = TurnedClock::start();
        for step in 0..200 {
            match policy.run(|| Ok::<_, ServiceError>(())) {
                Ok(()) => {}
                Err(error) => assert!(error.rejected().retry_after().unwrap() > Duration::ZERO, "{rate} after {step}"),
            }
            match resilient::bucket(&bucket).try_acquire(1 + step % 2) {
                Ok(()) => {}
                Err(TryAcquireError::NotYet { retry_after }) => assert!(retry_after > Duration::ZERO, "{rate} after {step}"),
                Err(other) => panic!("{other}"),
            }
            clock.advance(Duration::from_nanos(u64::from(step % 7)));
        }
        quiesce(&clock, &[Named::Bucket(&bucket)]);
    }
}

/// rush#18: the same for a circuit, which is told a moment and answers with what is left until then.
#[test]
fn bug_38_an_open_circuit_tells_a_wait_after_which_it_asks() {
    #[resilient(breaker(name = "told when", failure_threshold = 1, recovery_timeout = "2s"))]
    fn call(is_good: bool) -> Result<(), ServiceError> {
        if is_good { Ok(()) } else { lost() }
    }
    let clock = TurnedClock::start();
    assert_eq!(call(false), Err(ServiceError::Reset));
    let wait = call(true).unwrap_err().rejected().retry_after().unwrap();
    clock.advance(wait.checked_sub(Duration::from_nanos(1)).unwrap());
    assert_eq!(call(true).unwrap_err().rejected().retry_after(), Some(Duration::from_nanos(1)));
    clock.advance(Duration::from_nanos(1));
    assert_eq!(call(true), Ok(()));
    quiesce(&clock, &[Named::Breaker("told when")]);
}

/// octocrab#835, reqwest-middleware#44, reqwest-middleware#214, go-mastodon PR 219: the second request had an empty body.
#[test]
fn bug_39_every_attempt_has_the_arguments_that_the_caller_passed() {
    #[resilient(retries = 3, clone(body))]
    fn cloned(body: Vec<u8>, seen: &mut Vec<Vec<u8>>) -> Result<(), ServiceError> {
        seen.push(body);
        lost()
    }
    #[resilient(retries = 3, clone(body))]
    async fn cloned_async(body: Vec<u8>, seen: &mut Vec<Vec<u8>>) -> Result<(), ServiceError> {
        seen.push(body);
        lost()
    }
    #[resilient(retries = 3)]
    fn changed(mut body: Vec<u8>, seen: &mut Vec<Vec<u8>>) -> Result<(), ServiceError> {
        seen.push(std::mem::take(&mut body));
        lost()
    }
    let (_clock, mut seen) = (TurnedClock::start(), Vec::new());
    let body: Vec<u8> = (0..=255).collect();
    assert!(cloned(body.clone(), &mut seen).is_err());
    assert!(ready(cloned_async(body.clone(), &mut seen)).is_err());
    assert!(changed(body.clone(), &mut seen).is_err());
    assert_eq!(seen, vec![body; 12]);
}

/// octocrab#835: what an attempt does to what it only borrows is the caller's own, and stays.
#[test]
fn bug_39_what_is_borrowed_or_reused_keeps_its_changes_and_what_is_moved_does_not_compile() {
    #[resilient(retries = 3, reuse(offset))]
    fn reused(mut offset: usize, offsets: &mut Vec<usize>) -> Result<(), ServiceError> {
        offsets.push(offset);
        offset += 1;
        lost()
    }
    let (_clock, mut offsets) = (TurnedClock::start(), Vec::new());
    assert!(reused(7, &mut offsets).is_err());
    assert_eq!(offsets, [7, 8, 9, 10], "both the parameter that is reused and the list that is borrowed");
    assert_refused(
        "bounds/body_consumes_an_argument",
        "fn call(order: Order)",
        &["use of moved value: `order`", "consider implementing `Clone` for this type"],
    );
    let words = ["cannot give each attempt its own copy of this `Order`", "`Order` is not `Clone`", "#[resilient(reuse(..))]"];
    assert_refused("bounds/mut_argument_that_is_not_clone", "mut order: Order", &words);
    assert_refused("bounds/clone_of_what_is_not_clone", "clone(order)", &["the trait bound `Order: Clone` is not satisfied"]);
    assert_says("README.md", &["`clone(order)` | parameters that the body consumes", "`reuse(offset)` | a `mut` parameter"]);
}

/// CURATOR-559 PR 346: loops within loops multiplied the calls past every limit.
#[test]
fn bug_40_retries_inside_retries_are_bounded_by_the_product_and_by_the_outer_pool() {
    #[resilient(retries = 3, base_delay = "1ns", jitter = none)]
    fn inner(attempts: &Counter) -> Result<(), ServiceError> {
        attempts.count();
        lost()
    }
    #[resilient(retries = 3, base_delay = "1ns", jitter = none)]
    fn outer(attempts: &Counter) -> Result<(), ServiceError> {
        inner(attempts)
    }
    let (_clock, attempts) = (TurnedClock::start(), Counter::default());
    assert!(outer(&attempts).is_err());
    assert_eq!(attempts.get(), 16);
    for _ in 1..1_000 {
        assert!(outer(&attempts).is_err());
    }
    assert_eq!(attempts.get(), 1_000 + 100, "a thousand calls, and the hundred retries of the outer pool");
}

/// failsafe#119, resilience4j#1065: it surprised users whether a retry asks an open circuit, and what they get.
#[test]
fn bug_41_an_open_circuit_ends_the_retries_with_the_real_error_if_it_is_known_by_then() {
    #[resilient(retries = 3, base_delay = "1s", jitter = none, breaker(name = "ends retries", failure_threshold = 1))]
    fn opens(attempts: &Counter) -> Result<(), ServiceError> {
        attempts.count();
        lost()
    }
    let (clock, attempts) = (TurnedClock::start(), Counter::default());
    assert_eq!(opens(&attempts), Err(ServiceError::Reset));
    assert!(matches!(opens(&attempts).unwrap_err().rejected(), Rejected::CircuitOpen(_)));
    assert_eq!((attempts.get(), clock.waits()), (1, Vec::new()));
    let both = "### `retries = 3, breaker(failure_threshold = 3)`";
    let table = page("docs/golden-tables.md");
    let (_, rows) = table.split_once(both).unwrap();
    let (rows, _) = rows.split_once("\n### ").unwrap();
    assert!(rows.contains("| 4× | its last error | 3 | 3 | 0 | 100ms, 200ms |"), "as the golden tables say");
    quiesce(&clock, &[Named::Breaker("ends retries")]);
}

/// failsafe#119: a circuit that opened during the wait was another matter, of which nobody had thought.
#[tokio::test(start_paused = true)]
async fn bug_41_a_circuit_that_opens_while_a_retry_is_waited_for_refuses_it() {
    #[resilient(retries = 3, base_delay = "1s", jitter = none, breaker(name = "opens meanwhile", failure_threshold = 5))]
    async fn call(attempts: &Counter) -> Result<(), ServiceError> {
        attempts.count();
        lost()
    }
    let attempts = Counter::default();
    let mut waiting = std::pin::pin!(call(&attempts));
    assert!(poll_once(waiting.as_mut()).is_pending());
    resilient::breaker("opens meanwhile").force_open();
    let rejected = waiting.await.unwrap_err().rejected();
    assert!(matches!(rejected, Rejected::CircuitOpen(_)));
    assert_eq!((rejected.attempts(), attempts.get()), (1, 1));
    resilient::breaker("opens meanwhile").reset();
    quiesce_paused(&[Named::Breaker("opens meanwhile")]).await;
}

/// How many retries a load of so many calls makes.
fn retries(policy: &Policy, calls: u32, outcome: impl Fn() -> Result<(), ServiceError>) -> u32 {
    let attempts = Counter::default();
    for _ in 0..calls {
        let _ = policy.run(|| {
            attempts.count();
            outcome()
        });
    }
    attempts.get() - calls
}

/// aws-sdk-go-v2#3550: a success gave nothing back, so that a pool once empty stayed so.
#[test]
fn bug_42_successes_fill_a_budget_that_was_drained() {
    let policy = waiting(Duration::from_nanos(1), SECOND, Backoff::Constant, Jitter::None).budget(0.2).retries(3).build().unwrap();
    let _clock = TurnedClock::start();
    assert_eq!(retries(&policy, 1_000, lost), 100);
    assert_eq!(retries(&policy, 1_000, || Ok(())), 0);
    assert_eq!(retries(&policy, 1_000, lost), 100, "a thousand successes fill the pool");
}

/// tower#857: a share of 0.6 was cut to a whole number, and every failure was retried.
#[test]
fn bug_42_retries_are_the_share_of_the_successes_that_was_set() {
    for share in [0.01, 0.1, 0.33, 0.6, 0.99, 1.0, 1.5] {
        let policy = waiting(Duration::from_nanos(1), SECOND, Backoff::Constant, Jitter::None).budget(share).retries(3);
        let (clock, policy) = (TurnedClock::start(), policy.build().unwrap());
        assert_eq!(retries(&policy, 1_000, lost), 100, "the pool, whatever the share");
        let mixed = (0..10_000).map(|_| retries(&policy, 1, || Ok(())) + retries(&policy, 1, lost));
        let (made, allowed) = (f64::from(mixed.sum::<u32>()), share * 10_000.0);
        assert!(made <= allowed + 1.0 && made >= allowed - 1.0, "{share}: {made} for {allowed}");
        clock.advance(SECOND);
        assert_eq!(retries(&policy, 1_000, lost), 10, "and ten a second");
    }
}

/// aws-sdk-rust#1234: after a change elsewhere nobody asked the budget any more, and no test failed.
#[test]
fn bug_42_every_way_to_call_asks_its_budget() {
    #[resilient(retries = 1, base_delay = "1ns", jitter = none, budget = "asked by all")]
    fn sync() -> Result<(), ServiceError> {
        lost()
    }
    #[resilient(retries = 1, base_delay = "1ns", jitter = none, budget = "asked by all")]
    async fn in_a_task() -> Result<(), ServiceError> {
        lost()
    }
    #[resilient(retries = 1, base_delay = "1ns", jitter = none, breaker(name = "asked by all", failure_threshold = 1_000_000))]
    fn by_breaker() -> Result<(), ServiceError> {
        lost()
    }
    let policy = Policy::builder().retries(1).base_delay(Duration::from_nanos(1)).jitter(Jitter::None);
    let policy = policy.shared_budget("asked by all").build().unwrap();
    let calls: [&dyn Fn() -> Result<(), ServiceError>; 4] =
        [&sync, &|| ready(in_a_task()), &|| policy.run(lost), &|| ready(policy.run_async(async || lost()))];
    let clock = TurnedClock::start();
    for call in calls {
        clock.advance(HOUR);
        let before = clock.waits().len();
        for _ in 0..25 {
            assert!(call().is_err());
        }
        assert_eq!(clock.waits().len() - before, 25);
        for call in calls.iter().cycle().take(400) {
            assert!(call().is_err());
        }
        assert_eq!(clock.waits().len() - before, 100, "what one has used the others lack");
    }
    for _ in 0..200 {
        assert!(by_breaker().is_err());
    }
    assert_eq!(clock.waits().len(), 4 * 100 + 100, "a breaker's name is a pool's as well");
    quiesce(&clock, &[Named::Breaker("asked by all")]);
}

/// backoff#71, libxmtp PR 1032: a retry in a task slept in its thread, and everything else there stood still.
#[tokio::test(start_paused = true)]
async fn bug_43_while_one_task_waits_for_its_retry_the_others_of_its_thread_go_on() {
    #[resilient(retries = 2, base_delay = "1s", jitter = none, rate = 1, burst = 1)]
    async fn call() -> Result<(), ServiceError> {
        lost()
    }
    let ticks = Cell::new(0);
    let start = tokio::time::Instant::now();
    let ticking = async {
        loop {
            tokio::time::sleep(millis(10)).await;
            ticks.set(ticks.get() + 1);
        }
    };
    tokio::select! {
        outcome = call() => assert_eq!(outcome, Err(ServiceError::Reset)),
        () = ticking => unreachable!(),
    }
    assert!(start.elapsed() >= 3 * SECOND, "the waits took time of the runtime's clock, and no thread's");
    assert!((295..=305).contains(&ticks.get()), "{}", ticks.get());
}

/// tokio#2667, tokio#6634, tokio#8384: the longest duration, added to the time, panicked.
#[test]
fn bug_44_every_time_of_a_sync_call_may_be_the_longest_there_is() {
    const ENDLESS: Duration = Duration::MAX;
    #[resilient(
        retries = 3,
        base_delay = ENDLESS,
        max_delay = ENDLESS,
        max_retry_after = ENDLESS,
        deadline = ENDLESS,
        breaker(
            name = "endless",
            failure_threshold = 4,
            slow_call_duration = ENDLESS,
            recovery_timeout = ENDLESS,
            max_recovery_timeout = ENDLESS
        ),
        budget = none,
        fallback = last_known(ENDLESS)
    )]
    fn call(error: impl Fn() -> ServiceError) -> Result<(), ServiceError> {
        Err(error())
    }
    #[resilient(rate = "1/day", concurrency = 1, max_wait = ENDLESS, deadline = ENDLESS)]
    fn limited() -> Result<(), ServiceError> {
        Ok(())
    }
    let clock = TurnedClock::start();
    assert_eq!((limited(), limited()), (Ok(()), Ok(())));
    assert_eq!(call(|| ServiceError::Reset), Err(ServiceError::Reset));
    assert_eq!(clock.waits().len(), 1 + 3, "a token, and three retries");
    let rejected = call(|| ServiceError::Reset).unwrap_err().rejected();
    assert!(rejected.retry_after().unwrap() > Duration::from_secs(86_400 * 365 * 400), "{rejected}");
    resilient::breaker("endless").reset();
    for wait in [Duration::MAX, Duration::from_secs(u64::MAX), Duration::from_nanos(u64::MAX)] {
        assert!(call(|| ServiceError::SlowDown { wait: Some(wait) }).is_err());
        assert!(call(|| ServiceError::Maintenance { wait }).is_err());
    }
}

/// tokio#2667, tokio#6634, tokio#8384: the same for timers, of which the longest must be armed and never fire.
#[tokio::test(start_paused = true)]
async fn bug_44_every_time_of_an_async_call_may_be_the_longest_there_is() {
    const ENDLESS: Duration = Duration::MAX;
    #[resilient(
        retries = 3,
        base_delay = ENDLESS,
        max_delay = ENDLESS,
        jitter = none,
        max_retry_after = ENDLESS,
        timeout = ENDLESS,
        deadline = ENDLESS,
        max_wait = ENDLESS,
        bulkhead = "endless",
        concurrency = 1,
        breaker(name = "endless async", recovery_timeout = ENDLESS, max_recovery_timeout = ENDLESS)
    )]
    async fn call(outcome: fn() -> Option<ServiceError>) -> Result<(), ServiceError> {
        match outcome() {
            Some(error) => Err(error),
            None => std::future::pending().await,
        }
    }
    let outcomes: [fn() -> Option<ServiceError>; 4] =
        [|| Some(ServiceError::Reset), || Some(ServiceError::SlowDown { wait: Some(ENDLESS) }), || None, || None];
    let mut calls = outcomes.map(|outcome| Box::pin(call(outcome)));
    for years in [0, 1, 30, 100] {
        tokio::time::advance(Duration::from_secs(years * 365 * 86_400)).await;
        for call in &mut calls {
            assert!(poll_once(call.as_mut()).is_pending(), "after {years} years");
        }
    }
    drop(calls);
    quiesce_paused(&[Named::Breaker("endless async"), Named::Bulkhead("endless")]).await;
}

/// tokio#2667: as text such a time must be read, or refused, and never wrap around.
#[test]
fn bug_44_a_time_that_no_clock_can_count_is_a_mistake() {
    assert_refused("mistakes/duration_too_long", r#"deadline = "600000d""#, &["is too long: at most 584 years"]);
    assert_refused("mistakes/duration_unit_unknown", "5 parsecs", &["unknown unit", "the units are ns, us, ms, s, m, h and d"]);
    assert_refused("museum/times_beyond_all_clocks", "584542046090y", &["unknown unit `y`", "too long", "at most 584 years"]);
    let (program, keys) = (page("tests/ui/museum/times_beyond_all_clocks.rs"), page("resilient-macros/src/keys.rs"));
    // `("timeout", "timeout = \"2s\"")` is a key that takes a time.
    let takes_time = |line: &'static str| {
        let (key, sample) = line.trim().strip_prefix("(\"")?.split_once("\", \"")?;
        let (_, value) = sample.split_once("= \\\"")?;
        (value.starts_with(|first: char| first.is_ascii_digit()) && !value.contains('/')).then_some(key)
    };
    let keys: &'static str = keys.leak();
    let times: Vec<_> = keys.lines().filter_map(takes_time).chain(["window"]).collect();
    assert!(times.len() >= 10 && times.contains(&"max_recovery_timeout"), "{times:?}");
    for key in times {
        assert!(program.contains(&format!("{key} = \"")), "{key}");
    }
    assert!(program.contains("last_known(\""));
}
