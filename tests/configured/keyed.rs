//! What configuration changes for every key.

use crate::{ShopError, Turn};
use resilient::testing::TurnedClock;
use resilient::{CircuitBreaker, Concurrency, Overrides, Rate, Rejected, State, Window, catalog, configure, resilient};
use std::time::Duration;

#[test]
fn a_new_rate_reaches_every_key_and_forgives_none() {
    #[resilient(bucket = "reloaded keys", key = tenant, max_wait = "1h")]
    fn call(tenant: u32) -> Result<(), ShopError> {
        Ok(())
    }
    let install = |rate: Rate| configure().bucket("reloaded keys", rate).install().unwrap();
    let _turn = Turn::take();
    let clock = TurnedClock::start();
    install(Rate::per_second(1).burst(10));
    for _ in 0..10 {
        call(1).unwrap();
    }
    for _ in 0..11 {
        call(2).unwrap();
    }
    assert_eq!(clock.waits(), [Duration::from_secs(1)]);
    install(Rate::per_minute(1).burst(10));
    call(1).unwrap();
    call(1).unwrap();
    assert_eq!(clock.waits().len(), 2, "one second of the old debt had been paid, at the old rate");
    assert_eq!(clock.waits()[1], Duration::from_secs(60));
    call(3).unwrap();
    install(Rate::per_second(10).burst(1));
    call(3).unwrap();
    call(3).unwrap();
    call(3).unwrap();
    assert_eq!(clock.waits()[2..], [Duration::from_millis(100); 3]);
}

#[test]
fn new_settings_reach_breakers_and_bulkheads_of_every_key() {
    #[resilient(breaker = "reloaded breakers", bulkhead = "reloaded bulkheads", key = tenant, max_keys = 9, max_wait = "0s")]
    fn call(tenant: u32, depth: u32, fails: bool) -> Result<(), ShopError> {
        if depth > 0 {
            return call(tenant, depth - 1, fails);
        }
        if fails { Err(ShopError::Reset) } else { Ok(()) }
    }
    let _turn = Turn::take();
    let _clock = TurnedClock::start();
    call(1, 3, false).unwrap();
    configure()
        .breaker("reloaded breakers", CircuitBreaker::new().failure_threshold(1))
        .bulkhead("reloaded bulkheads", Concurrency::limit(2))
        .install()
        .unwrap();
    assert_eq!(refusal(call(1, 2, false)), "bulkhead");
    call(1, 1, false).unwrap();
    assert_eq!(call(1, 0, true), Err(ShopError::Reset));
    assert_eq!(refusal(call(1, 0, true)), "breaker");
    assert_eq!(refusal(call(8, 2, false)), "bulkhead", "a key that comes after the change");
    call(8, 1, false).unwrap();
    assert_eq!(call(9, 0, true), Err(ShopError::Reset), "a key that comes after the change");
    assert_eq!(refusal(call(9, 0, true)), "breaker");
    assert_eq!(refusal(call(8, 2, false)), "bulkhead");
    call(2, 1, false).unwrap();
}

#[test]
fn a_new_limit_reaches_keys_that_come_when_all_slots_are_taken() {
    #[resilient(bulkhead = "keys that come later", key = tenant, max_wait = "0s")]
    fn call(tenant: u32, depth: u32) -> Result<(), ShopError> {
        if depth > 0 { call(tenant, depth - 1) } else { Ok(()) }
    }
    let _turn = Turn::take();
    let _clock = TurnedClock::start();
    call(0, 1).unwrap();
    configure().bulkhead("keys that come later", Concurrency::limit(1)).install().unwrap();
    for tenant in 1..5_000 {
        assert_eq!(refusal(call(tenant, 1)), "bulkhead", "{tenant}");
    }
}

#[test]
fn max_keys_counts_keys_of_all_types_and_configuration_goes_first() {
    #[resilient(breaker(name = "two types", key = host, max_keys = 10))]
    fn by_number(host: u32) -> Result<(), ShopError> {
        Err(ShopError::Reset)
    }
    #[resilient(breaker = "two types", key = host)]
    fn by_name(host: &str) -> Result<(), ShopError> {
        Err(ShopError::Reset)
    }
    let _turn = Turn::take();
    let _clock = TurnedClock::start();
    let breakers = resilient::keyed_breakers("two types");
    for host in 0..20 {
        assert!(by_number(host).is_err());
        assert!(by_name(&host.to_string()).is_err());
    }
    assert_eq!(breakers.len(), 10);
    let install = |max_keys| {
        configure().breaker("two types", CircuitBreaker::new().max_keys(max_keys)).install().unwrap();
    };
    install(15);
    for host in 0..20 {
        assert!(by_number(host).is_err());
    }
    assert_eq!(breakers.len(), 15);
    breakers.reset();
    install(4);
    assert_eq!(breakers.len(), 4, "all were clean");
}

fn refusal(outcome: Result<(), ShopError>) -> &'static str {
    match outcome {
        Ok(()) => "none",
        Err(ShopError::Rejected(Rejected::CircuitOpen(_))) => "breaker",
        Err(ShopError::Rejected(Rejected::RateLimited(_))) => "bucket",
        Err(ShopError::Rejected(Rejected::BulkheadFull(_))) => "bulkhead",
        Err(error) => panic!("{error}"),
    }
}

#[resilient(breaker = "keyed-switch", bucket = "keyed-switch", bulkhead = "keyed-switch", key = tenant, max_wait = "0s")]
fn switched(tenant: u32, depth: u32) -> Result<(), ShopError> {
    if depth > 0 { switched(tenant, depth - 1) } else { Ok(()) }
}

/// Everything refuses; whatever is switched off, the next one refuses.
#[test]
fn each_policy_has_its_switch_for_one_function_and_for_all() {
    let _turn = Turn::take();
    let clock = TurnedClock::start();
    let name = "configured::keyed::switched";
    let narrow = || configure().bulkhead("keyed-switch", Concurrency::limit(1)).bucket("keyed-switch", Rate::per_hour(1));
    narrow().install().unwrap();
    assert_eq!(refusal(switched(1, 0)), "none");
    let breakers = resilient::keyed_breakers("keyed-switch");
    breakers.get(&1_u32).unwrap().force_open();
    assert_eq!((refusal(switched(1, 0)), refusal(switched(2, 0))), ("breaker", "none"));
    let off = Overrides::new().breaker_enabled(false);
    narrow().function(name, off).install().unwrap();
    assert_eq!(refusal(switched(1, 0)), "bucket");
    let off = off.bucket_enabled(false);
    narrow().function(name, off).install().unwrap();
    assert_eq!((refusal(switched(1, 0)), refusal(switched(1, 1))), ("none", "bulkhead"));
    narrow().function(name, off.bulkhead_enabled(false)).install().unwrap();
    assert_eq!(refusal(switched(1, 1)), "none");
    narrow().function(name, Overrides::new().enabled(false)).install().unwrap();
    assert_eq!(refusal(switched(1, 5)), "none");
    narrow().breaker("keyed-switch", CircuitBreaker::new().enabled(false)).install().unwrap();
    assert_eq!(refusal(switched(1, 0)), "bucket");
    clock.advance(Duration::from_secs(3_600));
    assert_eq!(refusal(switched(1, 0)), "none");
    narrow().install().unwrap();
    assert_eq!(refusal(switched(1, 0)), "breaker", "what was forced stays so");
    breakers.reset();
}

#[test]
fn a_file_switches_by_name_what_keys_have() {
    #[resilient(bucket = "keyed-file", bulkhead = "keyed-file", key = tenant, max_wait = "0s")]
    fn call(tenant: u32, depth: u32) -> Result<(), ShopError> {
        if depth > 0 { call(tenant, depth - 1) } else { Ok(()) }
    }
    let _turn = Turn::take();
    let _clock = TurnedClock::start();
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("keyed.toml");
    let install = |text: &str| {
        std::fs::write(&path, text).unwrap();
        configure().file(&path).install().unwrap();
    };
    install("[buckets.keyed-file]\nrate = \"1/h\"\n[bulkheads.keyed-file]\nconcurrency = 1");
    assert_eq!((refusal(call(1, 0)), refusal(call(1, 0))), ("none", "bucket"));
    install("[buckets.keyed-file]\nenabled = false\n[bulkheads.keyed-file]\nconcurrency = 1");
    assert_eq!((refusal(call(1, 0)), refusal(call(1, 1))), ("none", "bulkhead"));
    install("[buckets.keyed-file]\nenabled = false\n[bulkheads.keyed-file]\nenabled = false\nconcurrency = 1");
    assert_eq!(refusal(call(1, 5)), "none");
}

#[resilient(rate = "1/h", concurrency = 1, key = tenant, max_wait = "0s")]
fn owning(tenant: u32, depth: u32) -> Result<(), ShopError> {
    if depth > 0 { owning(tenant, depth - 1) } else { Ok(()) }
}

#[test]
fn a_functions_own_rate_and_limit_change_for_every_key_and_keep_what_is_owed() {
    let _turn = Turn::take();
    let clock = TurnedClock::start();
    let change = |overrides: Overrides| configure().function("configured::keyed::owning", overrides).install().unwrap();
    assert_eq!((refusal(owning(1, 0)), refusal(owning(1, 0))), ("none", "bucket"));
    change(Overrides::new().max_wait(Duration::ZERO));
    assert_eq!(refusal(owning(1, 0)), "bucket", "a reload forgives nothing");
    change(Overrides::new().rate(Rate::per_second(10)));
    assert_eq!((refusal(owning(1, 0)), refusal(owning(2, 0))), ("bucket", "none"));
    clock.advance(Duration::from_millis(100));
    assert_eq!(refusal(owning(1, 0)), "none");
    change(Overrides::new().rate_enabled(false));
    assert_eq!((refusal(owning(1, 0)), refusal(owning(1, 1))), ("none", "bulkhead"));
    change(Overrides::new().rate_enabled(false).concurrency(2));
    assert_eq!((refusal(owning(1, 1)), refusal(owning(1, 2))), ("none", "bulkhead"));
    change(Overrides::new().rate_enabled(false).concurrency_enabled(false));
    assert_eq!(refusal(owning(1, 5)), "none");
    change(Overrides::new().enabled(false));
    assert_eq!(refusal(owning(1, 5)), "none");
}

#[resilient(bucket = "keyed-slow", key = tenant, max_wait = none)]
async fn patient(tenant: u32) -> Result<(), ShopError> {
    Ok(())
}

#[resilient(rate = "1/h", key = tenant, max_wait = none)]
async fn patient_alone(tenant: u32) -> Result<(), ShopError> {
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_higher_rate_reaches_the_waiters_of_every_key() {
    let _turn = Turn::take();
    let change = |rate: Rate| {
        let own = Overrides::new().rate(rate);
        configure().bucket("keyed-slow", rate).function("configured::keyed::patient_alone", own).install().unwrap();
    };
    change(Rate::per_hour(1));
    let start = tokio::time::Instant::now();
    let named = (0..20).map(|call| tokio::spawn(patient(call % 2)));
    let calls: Vec<_> = named.chain((0..20).map(|call| tokio::spawn(patient_alone(call % 2)))).collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(calls.iter().filter(|call| call.is_finished()).count(), 4);
    change(Rate::per_second(1_000).burst(1));
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert!(start.elapsed() < Duration::from_millis(1_100), "{:?}", start.elapsed());
}

#[resilient(bulkhead = "keyed-narrow", key = tenant, max_wait = none)]
async fn held(tenant: u32, time: Duration) -> Result<(), ShopError> {
    tokio::time::sleep(time).await;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_higher_limit_reaches_the_waiters_of_every_key() {
    let _turn = Turn::take();
    let limit = |calls| configure().bulkhead("keyed-narrow", Concurrency::limit(calls)).install().unwrap();
    limit(1);
    let start = tokio::time::Instant::now();
    let calls: Vec<_> = (0..20).map(|call| tokio::spawn(held(call % 2, Duration::from_secs(10)))).collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    limit(10);
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert!(start.elapsed() < Duration::from_secs(12), "{:?}", start.elapsed());
}

#[resilient(breaker(name = "keyed-window", failure_ratio = 0.5, minimum_calls = 4), key = host, max_keys = 2)]
fn windowed(host: u32, fails: bool) -> Result<(), ShopError> {
    if fails { Err(ShopError::Reset) } else { Ok(()) }
}

#[test]
fn a_window_of_another_kind_starts_empty_for_every_key() {
    let _turn = Turn::take();
    let clock = TurnedClock::start();
    let window = |window: Window| {
        configure().breaker("keyed-window", CircuitBreaker::new().window(window)).install().unwrap();
    };
    let breakers = resilient::keyed_breakers("keyed-window");
    let counts = |host: u32| breakers.get(&host).map(|breaker| (breaker.counts().calls, breaker.counts().failures));
    windowed(1, false).unwrap();
    windowed(1, true).unwrap_err();
    windowed(2, false).unwrap();
    assert_eq!((counts(1), counts(2)), (Some((2, 1)), Some((1, 0))));
    configure().breaker("keyed-window", CircuitBreaker::new().failure_ratio(0.9)).install().unwrap();
    assert_eq!((counts(1), counts(2)), (Some((2, 1)), Some((1, 0))), "the same window goes on");
    window(Window::time(Duration::from_secs(10)));
    assert_eq!((counts(1), counts(2)), (Some((0, 0)), Some((0, 0))));
    for fails in [false, true, false, true] {
        assert_eq!(windowed(1, fails).is_err(), fails);
    }
    assert_eq!(breakers.get(&1_u32).unwrap().state(), State::Open);
    windowed(2, true).unwrap_err();
    windowed(2, false).unwrap();
    windowed(3, false).unwrap();
    assert!(counts(3).is_none(), "one is open, the other's window holds a failure");
    clock.advance(Duration::from_secs(11));
    windowed(3, false).unwrap();
    assert_eq!((counts(2), counts(3)), (None, Some((1, 0))), "what has left the window is forgotten");
    breakers.reset();
    breakers.get(&3_u32).unwrap().shadow();
    breakers.get(&1_u32).unwrap().disable();
    windowed(4, false).unwrap();
    assert_eq!((breakers.get(&4_u32).is_none(), breakers.len()), (true, 2), "what operators have done is not forgotten");
    breakers.reset();
    windowed(4, false).unwrap();
    assert!(breakers.get(&4_u32).is_some());
}

#[test]
fn a_key_that_takes_anothers_place_inherits_none_of_its_calls() {
    #[resilient(breaker(name = "inherited", failure_ratio = 0.5, minimum_calls = 4, key = host, max_keys = 1))]
    fn call(host: u32, fails: bool) -> Result<(), ShopError> {
        if fails { Err(ShopError::Reset) } else { Ok(()) }
    }
    let breakers = resilient::keyed_breakers("inherited");
    let told = |host: u32| breakers.get(&host).map(|breaker| (breaker.counts().calls, breaker.state()));
    let _turn = Turn::take();
    for _ in 0..100 {
        call(1, false).unwrap();
    }
    assert_eq!(told(1), Some((100, State::Closed)));
    for calls in 1..=3 {
        call(2, true).unwrap_err();
        assert_eq!(told(2), Some((calls, State::Closed)), "its own calls are too few yet");
    }
    call(2, true).unwrap_err();
    assert_eq!((told(1), told(2)), (None, Some((0, State::Open))), "a hundred successes of another key do not keep it closed");
}

#[expect(dead_code, reason = "listed")]
#[resilient(
    breaker(name = "keyed-listed", key = tenant.0, max_keys = 7),
    bucket(rate = "1/s", key = tenant.1),
    bulkhead = "keyed-listed",
    key = tenant
)]
fn listed(tenant: (u32, u32)) -> Result<(), ShopError> {
    Ok(())
}

#[test]
fn the_catalogue_lists_keys_as_they_are_written_and_how_many_there_may_be() {
    let _turn = Turn::take();
    let lines = || {
        let catalog = catalog();
        let function = catalog.functions.iter().find(|function| function.name == "configured::keyed::listed").unwrap();
        let lines: Vec<_> =
            function.to_string().lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        lines
            .into_iter()
            .filter(|line| line.contains("key =") || line.contains("key ") || line.contains("max_keys"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        lines(),
        [
            "bucket.max_keys 10000 built in",
            "key tenant attribute",
            "breaker.key tenant.0 attribute",
            "bucket.key tenant.1 attribute",
            "breaker.max_keys 7 attribute",
            "bulkhead.max_keys 10000 built in",
        ]
    );
    configure()
        .breaker("keyed-listed", CircuitBreaker::new().max_keys(9))
        .default_bulkhead(Concurrency::limit(3).max_keys(8))
        .install()
        .unwrap();
    assert_eq!(lines()[4..], ["breaker.max_keys 9 named, code (attribute: 7)", "bulkhead.max_keys 8 defaults, code"]);
    let unkeyed = catalog().functions.into_iter().find(|function| function.name == "disk store").unwrap();
    assert!(unkeyed.settings.iter().all(|setting| !setting.key.contains("max_keys")));
}
