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
    #[resilient(breaker = "reloaded breakers", bulkhead = "reloaded bulkheads", key = tenant, max_wait = "0s")]
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
    assert!(matches!(call(1, 2, false).unwrap_err().rejected(), Rejected::BulkheadFull(_)));
    call(1, 1, false).unwrap();
    assert_eq!(call(1, 0, true), Err(ShopError::Reset));
    assert!(matches!(call(1, 0, true).unwrap_err().rejected(), Rejected::CircuitOpen(_)));
    call(2, 1, false).unwrap();
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
