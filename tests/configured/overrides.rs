//! Settings and switches of single functions.

use crate::{ShopError, Turn};
use resilient::testing::TurnedClock;
use resilient::{CircuitBreaker, Concurrency, Overrides, Rate, Rejected, RetryBudget, State, configure, resilient};
use std::cell::Cell;
use std::time::Duration;

thread_local! {
    static ATTEMPTS: Cell<u32> = const { Cell::new(0) };
}

fn lost() -> Result<(), ShopError> {
    ATTEMPTS.set(ATTEMPTS.get() + 1);
    Err(ShopError::Reset)
}

fn attempts(call: impl FnOnce() -> Result<(), ShopError>) -> u32 {
    ATTEMPTS.set(0);
    call().unwrap_err();
    ATTEMPTS.get()
}

const MANY: u32 = 4;

#[resilient(retries = 2, jitter = none, budget = none)]
fn literal() -> Result<(), ShopError> {
    lost()
}

#[resilient(retries = MANY, base_delay = std::hint::black_box(Duration::from_millis(7)), jitter = none, budget = none)]
fn computed() -> Result<(), ShopError> {
    lost()
}

#[test]
fn the_function_goes_before_its_attribute_literal_or_expression() {
    let _turn = Turn::take();
    let clock = TurnedClock::start();
    assert_eq!((attempts(literal), attempts(computed)), (3, 5));
    let one = Overrides::new().retries(1).base_delay(Duration::from_millis(3));
    configure().function("configured::overrides::literal", one).function("configured::overrides::c*", one).install().unwrap();
    let before = clock.waits().len();
    assert_eq!((attempts(literal), attempts(computed)), (2, 2));
    assert_eq!(clock.waits()[before..], [Duration::from_millis(3); 2]);
}

#[resilient(
    retries = 2,
    base_delay = std::hint::black_box(Duration::from_millis(7)),
    max_delay = std::hint::black_box(Duration::from_millis(10)),
    jitter = none,
    budget = none
)]
fn bounded() -> Result<(), ShopError> {
    lost()
}

#[test]
fn a_function_that_decides_one_setting_leaves_the_other_expressions_alone() {
    let _turn = Turn::take();
    let clock = TurnedClock::start();
    let waits = |settings| {
        configure().function("configured::overrides::computed", settings).install().unwrap();
        let before = clock.waits().len();
        attempts(computed);
        clock.waits()[before..].to_vec()
    };
    let millis = Duration::from_millis;
    assert_eq!(waits(Overrides::new().retries(1)), [millis(7)]);
    assert_eq!(waits(Overrides::new().base_delay(millis(3))), [millis(3), millis(6), millis(12), millis(24)]);
    assert_eq!(waits(Overrides::new().retries_enabled(true)), [millis(7), millis(14), millis(28), millis(56)]);
    let name = "configured::overrides::bounded";
    configure().function(name, Overrides::new().base_delay(millis(8))).install().unwrap();
    let before = clock.waits().len();
    attempts(bounded);
    assert_eq!(clock.waits()[before..], [millis(8), millis(10)]);
}

#[test]
fn an_expression_goes_before_a_default() {
    let _turn = Turn::take();
    let clock = TurnedClock::start();
    configure().defaults(Overrides::new().base_delay(Duration::from_millis(1))).install().unwrap();
    attempts(computed);
    assert_eq!(clock.waits()[0], Duration::from_millis(7));
    attempts(literal);
    assert_eq!(clock.waits()[4..], [Duration::from_millis(1), Duration::from_millis(2)]);
}

#[test]
fn the_nearest_pattern_is_heard_setting_by_setting() {
    let _turn = Turn::take();
    let clock = TurnedClock::start();
    configure()
        .function("*", Overrides::new().retries(0).base_delay(Duration::from_millis(1)))
        .function("configured::*", Overrides::new().retries(5).max_delay(Duration::from_millis(2)))
        .function("configured::overrides::literal", Overrides::new().retries(3))
        .lenient()
        .install()
        .unwrap();
    assert_eq!(attempts(literal), 4);
    assert_eq!(clock.waits(), [1, 2, 2].map(Duration::from_millis));
}

#[test]
fn retries_are_switched_off_for_a_function_and_for_all() {
    let _turn = Turn::take();
    let _clock = TurnedClock::start();
    configure().function("configured::overrides::literal", Overrides::new().retries_enabled(false)).install().unwrap();
    assert_eq!((attempts(literal), attempts(computed)), (1, 5));
    configure().retries_enabled(false).install().unwrap();
    assert_eq!((attempts(literal), attempts(computed)), (1, 1));
    configure().install().unwrap();
    resilient::enable_retries(false);
    assert_eq!((attempts(literal), attempts(computed)), (1, 1));
    resilient::enable_retries(true);
    assert_eq!((attempts(literal), attempts(computed)), (3, 5));
}

#[resilient(
    retries = 1,
    deadline = "1h",
    breaker(name = "overrides-all", failure_threshold = 1, recovery_timeout = "1h", max_recovery_timeout = "1h"),
    bucket = "overrides-all",
    bulkhead = "overrides-all",
    rate = "1/h",
    concurrency = 1,
    max_wait = "0s",
    budget = none,
    fallback = |_| Err(ShopError::Reset)
)]
fn with_everything(depth: u32) -> Result<(), ShopError> {
    if depth > 0 {
        return with_everything(depth - 1);
    }
    lost()
}

fn bare() -> Overrides {
    Overrides::new().enabled(false)
}

#[test]
fn a_function_that_is_switched_off_runs_once_and_bare() {
    let _turn = Turn::take();
    let _clock = TurnedClock::start();
    configure().function("configured::overrides::with_everything", bare()).install().unwrap();
    for _ in 0..3 {
        assert_eq!(attempts(|| with_everything(2)), 1);
    }
    let breaker = resilient::breaker("overrides-all");
    assert_eq!((breaker.state(), breaker.failures()), (State::Closed, 0));
    configure().install().unwrap();
    assert_eq!(attempts(|| with_everything(0)), 1, "the circuit opens at the first failure");
    assert_eq!(breaker.state(), State::Open);
    breaker.reset();
}

#[resilient(breaker = "overrides-switch", bucket = "overrides-switch", bulkhead = "overrides-switch", max_wait = "0s")]
fn switched(depth: u32) -> Result<u32, ShopError> {
    if depth > 0 { switched(depth - 1) } else { Ok(7) }
}

fn refusal(outcome: Result<u32, ShopError>) -> &'static str {
    match outcome {
        Ok(_) => "none",
        Err(ShopError::Rejected(Rejected::CircuitOpen(_))) => "breaker",
        Err(ShopError::Rejected(Rejected::RateLimited(_))) => "bucket",
        Err(ShopError::Rejected(Rejected::BulkheadFull(_))) => "bulkhead",
        Err(error) => panic!("{error}"),
    }
}

/// Everything refuses; whatever is switched off, the next one refuses.
#[test]
fn each_policy_has_its_switch_for_one_function_and_for_all() {
    let _turn = Turn::take();
    let clock = TurnedClock::start();
    let name = "configured::overrides::switched";
    let (breaker, bucket) = (resilient::breaker("overrides-switch"), resilient::bucket("overrides-switch"));
    let narrow = || configure().bulkhead("overrides-switch", Concurrency::limit(1)).bucket("overrides-switch", Rate::per_hour(1));
    narrow().install().unwrap();
    breaker.force_open();
    bucket.try_acquire(1).unwrap();
    assert_eq!(refusal(switched(0)), "breaker");
    let off = Overrides::new().breaker_enabled(false);
    narrow().function(name, off).install().unwrap();
    assert_eq!(refusal(switched(0)), "bucket");
    let off = off.bucket_enabled(false);
    narrow().function(name, off).install().unwrap();
    assert_eq!(refusal(switched(0)), "none");
    assert_eq!(refusal(switched(1)), "bulkhead");
    narrow().function(name, off.bulkhead_enabled(false)).install().unwrap();
    assert_eq!(refusal(switched(1)), "none");
    narrow().breaker("overrides-switch", CircuitBreaker::new().enabled(false)).install().unwrap();
    assert_eq!(refusal(switched(0)), "bucket");
    clock.advance(Duration::from_secs(3_600));
    assert_eq!(refusal(switched(0)), "none");
    narrow().install().unwrap();
    assert_eq!(refusal(switched(0)), "breaker");
    breaker.reset();
}

#[test]
fn a_file_switches_a_bucket_and_a_bulkhead_off_and_on_by_name() {
    #[resilient(bucket = "overrides-file", bulkhead = "overrides-file", max_wait = "0s")]
    fn call(depth: u32) -> Result<u32, ShopError> {
        if depth > 0 { call(depth - 1) } else { Ok(7) }
    }
    let _turn = Turn::take();
    let _clock = TurnedClock::start();
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("overrides.toml");
    let install = |bucket: bool, bulkhead: bool| {
        let bucket = format!("[buckets.overrides-file]\nrate = \"1/h\"\nenabled = {bucket}\n");
        let bulkhead = format!("[bulkheads.overrides-file]\nconcurrency = 1\nenabled = {bulkhead}\n");
        std::fs::write(&path, bucket + &bulkhead).unwrap();
        configure().file(&path).install().unwrap();
    };
    install(false, false);
    assert_eq!(refusal(call(5)), "none");
    install(false, true);
    assert_eq!((refusal(call(0)), refusal(call(1))), ("none", "bulkhead"));
    install(true, true);
    assert_eq!((refusal(call(0)), refusal(call(0))), ("none", "bucket"));
    install(false, false);
    assert_eq!(refusal(call(5)), "none");
    install(true, true);
    assert_eq!(refusal(call(0)), "bucket", "what is owed stays owed");
}

#[resilient(rate = "1/h", concurrency = 1, max_wait = "0s")]
fn owning(depth: u32) -> Result<u32, ShopError> {
    if depth > 0 { owning(depth - 1) } else { Ok(7) }
}

#[test]
fn a_functions_own_rate_and_limit_change_and_keep_what_is_owed() {
    let _turn = Turn::take();
    let clock = TurnedClock::start();
    let name = "configured::overrides::owning";
    assert_eq!(refusal(owning(0)), "none");
    assert_eq!(refusal(owning(0)), "bucket");
    let change = |overrides: Overrides| configure().function(name, overrides).install().unwrap();
    change(Overrides::new().rate(Rate::per_second(10)));
    assert_eq!(refusal(owning(0)), "bucket", "a call is still owed, at the new rate");
    clock.advance(Duration::from_millis(100));
    assert_eq!(refusal(owning(0)), "none");
    change(Overrides::new().rate_enabled(false));
    assert_eq!(refusal(owning(0)), "none");
    assert_eq!(refusal(owning(1)), "bulkhead");
    change(Overrides::new().rate_enabled(false).concurrency(2));
    assert_eq!(refusal(owning(1)), "none");
    assert_eq!(refusal(owning(2)), "bulkhead");
    change(Overrides::new().rate_enabled(false).concurrency_enabled(false));
    assert_eq!(refusal(owning(5)), "none");
}

#[resilient(timeout = "1s", deadline = "10s", retries = 1, jitter = none)]
async fn slow(time: Duration) -> Result<(), ShopError> {
    tokio::time::sleep(time).await;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn times_are_tuned_and_switched() {
    let _turn = Turn::take();
    let name = "configured::overrides::slow";
    let change = |overrides: Overrides| configure().function(name, overrides).install().unwrap();
    let three = Duration::from_secs(3);
    assert!(matches!(slow(three).await, Err(ShopError::Rejected(Rejected::Timeout(_)))));
    change(Overrides::new().timeout(Duration::from_secs(4)));
    assert_eq!(slow(three).await, Ok(()));
    change(Overrides::new().timeout(Duration::from_secs(2)).deadline(Duration::from_secs(2)));
    assert!(slow(three).await.is_err());
    change(Overrides::new().timeout_enabled(false));
    assert_eq!(slow(three).await, Ok(()));
    assert!(matches!(slow(4 * three).await, Err(ShopError::Rejected(Rejected::DeadlineExceeded(_)))));
    change(Overrides::new().timeout_enabled(false).deadline_enabled(false));
    assert_eq!(slow(4 * three).await, Ok(()));
}

#[resilient(bucket = "overrides-slow", max_wait = none)]
async fn patient() -> Result<(), ShopError> {
    Ok(())
}

/// From 1 an hour to 1000 a second: those who wait hear of it in their sleep.
#[tokio::test(start_paused = true)]
async fn a_higher_rate_reaches_those_who_wait_already() {
    let _turn = Turn::take();
    let rate = |rate: Rate| configure().bucket("overrides-slow", rate).install().unwrap();
    rate(Rate::per_hour(1));
    let start = tokio::time::Instant::now();
    let calls: Vec<_> = (0..50).map(|_| tokio::spawn(patient())).collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(calls.iter().filter(|call| call.is_finished()).count(), 1);
    rate(Rate::per_second(1_000).burst(1));
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert!(start.elapsed() < Duration::from_millis(1_100), "{:?}", start.elapsed());
}

#[test]
fn a_higher_rate_reaches_threads_that_wait_already() {
    #[resilient(bucket = "overrides-thread", max_wait = none)]
    fn patient_thread() -> Result<(), ShopError> {
        Ok(())
    }

    let _turn = Turn::take();
    let rate = |rate: Rate| configure().bucket("overrides-thread", rate).install().unwrap();
    rate(Rate::per_day(1));
    patient_thread().unwrap();
    let waiting = std::thread::spawn(patient_thread);
    // Whether it sleeps already or comes later, it must not sleep for a day.
    std::thread::yield_now();
    rate(Rate::per_second(1_000_000));
    waiting.join().unwrap().unwrap();
}

#[resilient(rate = "1/s", max_wait = none)]
fn unhurried() {}

#[resilient(rate = "1/s", max_wait = none)]
async fn unhurried_task() {}

/// There is nobody to refuse to: it asked again and again without waiting.
#[test]
fn what_cannot_be_refused_waits_however_short_its_wait_is_configured() {
    let _turn = Turn::take();
    configure().function("configured::overrides::unhurried*", Overrides::new().max_wait(Duration::ZERO)).install().unwrap();
    let (done, is_done) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let clock = TurnedClock::start();
        unhurried();
        unhurried();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { (unhurried_task().await, unhurried_task().await) });
        done.send(clock.elapsed()).ok();
    });
    assert_eq!(is_done.recv_timeout(Duration::from_secs(20)), Ok(Duration::from_secs(2)));
}

#[resilient(rate = 10, burst = 5)]
fn bursty() -> Result<(), ShopError> {
    Ok(())
}

#[resilient(rate = Rate::per_second(10).burst(5))]
fn bursty_in_one() -> Result<(), ShopError> {
    Ok(())
}

/// What the rate says of the burst was not heard beside an attribute's `burst`.
#[test]
fn a_rate_with_a_burst_sets_both() {
    let _turn = Turn::take();
    let clock = TurnedClock::start();
    let shown = |function: &str| {
        let listed = resilient::catalog().functions.into_iter().find(|listed| listed.name == function).unwrap();
        listed
            .settings
            .into_iter()
            .filter(|setting| ["rate", "burst"].contains(&setting.key.as_str()))
            .map(|setting| setting.value)
            .collect::<Vec<_>>()
    };
    for function in ["configured::overrides::bursty", "configured::overrides::bursty_in_one"] {
        let install = |rate| configure().function(function, Overrides::new().rate(rate)).install().unwrap();
        install(Rate::per_second(20).burst(7));
        assert_eq!(shown(function), ["20/s", "7"]);
        install(Rate::per_second(20));
        assert_eq!(shown(function), ["20/s", "5"]);
    }
    configure().function("configured::overrides::bursty", Overrides::new().rate(Rate::per_second(1).burst(7))).install().unwrap();
    for _ in 0..7 {
        bursty().unwrap();
    }
    assert_eq!(clock.waits(), []);
    bursty_in_one().unwrap();
}

#[resilient(retries = 9, base_delay = "1ns", max_delay = "1ns", jitter = none)]
fn budgeted() -> Result<(), ShopError> {
    lost()
}

#[test]
fn code_chooses_whose_budget_pays_and_how_large_it_is() {
    let _turn = Turn::take();
    let _clock = TurnedClock::start();
    let name = "configured::overrides::budgeted";
    let small = |pool| RetryBudget::new().ratio(0.0).per_second(0.001).pool(pool);
    let with = |own| configure().default_budget(small(4)).budget("overrides: small", small(2)).function(name, own);
    with(Overrides::new()).install().unwrap();
    assert_eq!(attempts(budgeted), 1 + 4, "the default, which is its own");
    assert_eq!(attempts(budgeted), 1);
    with(Overrides::new().shared_budget("overrides: small")).install().unwrap();
    assert_eq!(attempts(budgeted), 1 + 2);
    assert_eq!(attempts(budgeted), 1);
    with(Overrides::new().without_budget()).install().unwrap();
    assert_eq!(attempts(budgeted), 1 + 9);
    with(Overrides::new().budget(0.5)).install().unwrap();
    assert_eq!(attempts(budgeted), 1, "its own is spent");
    let error = with(Overrides::new().budget(11.0)).install().unwrap_err().to_string();
    assert!(error.contains("`budget`"), "{error}");
}

#[resilient(retries = tries, base_delay = "1ms")]
fn tries_as_told(tries: u32, attempts: &Cell<u32>) -> Result<(), ShopError> {
    attempts.set(attempts.get() + 1);
    Err(ShopError::Reset)
}

#[test]
fn what_a_table_says_or_switches_off_no_expression_brings_back() {
    let _turn = Turn::take();
    let _clock = TurnedClock::start();
    let attempts = |settings| {
        configure().function("configured::overrides::tries_as_told", settings).install().unwrap();
        let attempts = Cell::new(0);
        assert_eq!(tries_as_told(3, &attempts), Err(ShopError::Reset));
        attempts.get()
    };
    assert_eq!(attempts(Overrides::new()), 4);
    assert_eq!(attempts(Overrides::new().enabled(true).retries_enabled(true)), 4);
    assert_eq!(attempts(Overrides::new().retries(1)), 2);
    assert_eq!(attempts(Overrides::new().retries_enabled(false)), 1);
    assert_eq!(attempts(Overrides::new().enabled(false)), 1);
}
