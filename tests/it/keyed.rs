//! One breaker, bucket and bulkhead for each value of `key`.

use crate::support::{ServiceError, millis, poll_once, ready};
use resilient::testing::TurnedClock;
use resilient::{Rejected, State, resilient};
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

fn is_limited(outcome: Result<(), ServiceError>) -> bool {
    match outcome {
        Ok(()) => false,
        Err(error) => matches!(error.rejected(), Rejected::RateLimited(_)),
    }
}

#[test]
fn each_key_has_a_bucket_of_its_own() {
    #[resilient(rate = "1/s", burst = 2, key = tenant, max_wait = "0s")]
    fn call(tenant: &str) -> Result<(), ServiceError> {
        Ok(())
    }
    let clock = TurnedClock::start();
    for tenant in ["a", "b", "", "a long one that says nothing in particular"] {
        assert!(!is_limited(call(tenant)) && !is_limited(call(tenant)), "{tenant}");
        let rejected = call(tenant).unwrap_err().rejected();
        assert_eq!((rejected.retry_after(), rejected.resource()), (Some(Duration::from_secs(1)), None));
    }
    clock.advance(Duration::from_secs(1));
    assert!(!is_limited(call("b")) && is_limited(call("b")) && !is_limited(call("a")));
}

#[test]
fn each_key_has_a_breaker_of_its_own() {
    #[resilient(breaker(name = "keyed breakers", failure_threshold = 2), key = host)]
    fn call(host: u64) -> Result<(), ServiceError> {
        if host == 1 { Err(ServiceError::Reset) } else { Ok(()) }
    }
    let clock = TurnedClock::start();
    for _ in 0..2 {
        assert_eq!(call(1), Err(ServiceError::Reset));
        call(2).unwrap();
    }
    let rejected = call(1).unwrap_err().rejected();
    assert!(matches!(rejected, Rejected::CircuitOpen(_)));
    assert_eq!(rejected.resource(), Some("keyed breakers"));
    call(2).unwrap();

    let breakers = resilient::keyed_breakers("keyed breakers");
    assert_eq!(breakers.get(&1_u64).unwrap().state(), State::Open);
    assert_eq!(breakers.get(&2_u64).unwrap().state(), State::Closed);
    assert!(breakers.get(&3_u64).is_none() && breakers.get(&1_u32).is_none() && breakers.get("1").is_none());
    assert_eq!(resilient::breaker("keyed breakers").state(), State::Closed, "the unkeyed one is another");
    breakers.get(&1_u64).unwrap().reset();
    assert_eq!(call(1), Err(ServiceError::Reset));
    assert_eq!(call(1), Err(ServiceError::Reset));
    breakers.reset();
    assert_eq!(call(1), Err(ServiceError::Reset));
    assert_eq!((breakers.len(), breakers.is_empty()), (2, false));
    assert!(resilient::keyed_breakers("keyed by nobody").is_empty());
    breakers.get(&2_u64).unwrap().force_open();
    assert!(call(2).is_err());
    clock.advance(Duration::from_secs(3_600));
    assert!(call(2).is_err());
}

#[tokio::test(start_paused = true)]
async fn each_key_has_a_bulkhead_of_its_own() {
    #[resilient(concurrency = 1, key = tenant, max_wait = "0s")]
    async fn call(tenant: u32) -> Result<(), ServiceError> {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(())
    }
    let (mut first, mut other) = (Box::pin(call(1)), Box::pin(call(2)));
    assert!(poll_once(first.as_mut()).is_pending() && poll_once(other.as_mut()).is_pending());
    assert!(matches!(call(1).await.unwrap_err().rejected(), Rejected::BulkheadFull(_)));
    drop(first);
    let mut again = Box::pin(call(1));
    assert!(poll_once(again.as_mut()).is_pending(), "a dropped call gives its place back");
    again.await.unwrap();
    other.await.unwrap();
}

#[test]
fn functions_that_name_the_same_resource_share_it_for_each_key() {
    #[resilient(bucket(name = "shared by key", rate = "1/s", burst = 2, key = tenant), max_wait = "0s")]
    fn by_reference(tenant: &str) -> Result<(), ServiceError> {
        Ok(())
    }
    #[resilient(bucket = "shared by key", key = tenant, max_wait = "0s")]
    async fn by_value(tenant: String) -> Result<(), ServiceError> {
        drop(tenant);
        Ok(())
    }
    let _clock = TurnedClock::start();
    by_reference("a").unwrap();
    ready(by_value("a".to_owned())).unwrap();
    let rejected = by_reference("a").unwrap_err().rejected();
    assert_eq!(rejected.resource(), Some("shared by key"));
    assert!(is_limited(ready(by_value("a".to_owned()))));
    by_reference("b").unwrap();
    resilient::bucket("shared by key").try_acquire(2).unwrap();
}

#[test]
fn a_function_may_have_a_keyed_bucket_and_an_unkeyed_breaker() {
    #[resilient(breaker(name = "for all", failure_threshold = 1), bucket(rate = "1/s", key = tenant), max_wait = "0s")]
    fn call(tenant: u8, fails: bool) -> Result<(), ServiceError> {
        if fails { Err(ServiceError::Reset) } else { Ok(()) }
    }
    let _clock = TurnedClock::start();
    call(1, false).unwrap();
    assert!(is_limited(call(1, false)));
    assert_eq!(call(2, true), Err(ServiceError::Reset));
    assert!(matches!(call(3, false).unwrap_err().rejected(), Rejected::CircuitOpen(_)));
}

#[test]
fn groups_may_have_keys_of_their_own() {
    #[resilient(
        breaker(name = "two keys", failure_threshold = 1, key = host),
        bucket(rate = "1/s", key = tenant),
        bulkhead(name = "two keys", concurrency = 1),
        max_wait = "0s"
    )]
    fn call(tenant: u8, host: u8) -> Result<(), ServiceError> {
        if host == 9 { Err(ServiceError::Reset) } else { Ok(()) }
    }
    let _clock = TurnedClock::start();
    assert_eq!(call(1, 9), Err(ServiceError::Reset));
    assert!(matches!(call(2, 9).unwrap_err().rejected(), Rejected::CircuitOpen(_)), "by host");
    assert!(is_limited(call(1, 8)), "by tenant");
    call(2, 8).unwrap();
    assert_eq!(resilient::keyed_breakers("two keys").len(), 2);
}

/// A key of the user's, of which all hash alike.
#[derive(Clone, PartialEq, Eq)]
struct Tenant {
    region: String,
    number: u64,
}

impl Hash for Tenant {
    fn hash<H: Hasher>(&self, state: &mut H) {
        0_u8.hash(state);
    }
}

struct Client {
    tenant: Tenant,
    name: String,
}

impl Client {
    #[resilient(rate = "1/s", key = self.tenant, max_wait = "0s")]
    fn by_field(&self) -> Result<(), ServiceError> {
        Ok(())
    }

    #[resilient(rate = "1/s", key = self.name, max_wait = "0s")]
    fn by_name(&mut self) -> Result<(), ServiceError> {
        self.name.push('x');
        Ok(())
    }

    #[resilient(rate = "1/s", key = (self.tenant.number, self.name.clone()), max_wait = "0s")]
    async fn by_pair(&self) -> Result<(), ServiceError> {
        Ok(())
    }

    #[resilient(rate = "1/s", key = self.name.to_lowercase().as_str(), max_wait = "0s")]
    fn by_a_temporary(self) -> Result<(), ServiceError> {
        drop(self);
        Ok(())
    }
}

#[test]
fn a_key_is_any_expression_of_the_function() {
    let tenant = |number| Tenant { region: "north".to_owned(), number };
    let client = |number, name: &str| Client { tenant: tenant(number), name: name.to_owned() };
    let _clock = TurnedClock::start();
    for number in 0..100 {
        assert!(!is_limited(client(number, "a").by_field()), "equal hashes are not equal keys");
        assert!(is_limited(client(number, "b").by_field()));
    }
    let mut changing = client(1, "a");
    changing.by_name().unwrap();
    changing.by_name().unwrap();
    assert!(is_limited(client(2, "a").by_name()) && is_limited(client(2, "ax").by_name()));
    ready(client(1, "a").by_pair()).unwrap();
    ready(client(2, "a").by_pair()).unwrap();
    assert!(is_limited(ready(client(1, "a").by_pair())));
    client(1, "A").by_a_temporary().unwrap();
    assert!(is_limited(client(1, "a").by_a_temporary()));
}

#[test]
fn what_the_key_is_made_of_may_be_consumed_and_is_evaluated_once() {
    static EVALUATED: AtomicU32 = AtomicU32::new(0);
    fn counted<T>(value: T) -> T {
        EVALUATED.fetch_add(1, Ordering::Relaxed);
        value
    }
    #[resilient(rate = 1_000, breaker = "evaluated once", concurrency = 2, retries = 2, clone(tenant), key = counted(&tenant))]
    fn retried(tenant: String) -> Result<String, ServiceError> {
        if tenant.len() > 1 { Err(ServiceError::Reset) } else { Ok(tenant) }
    }
    #[resilient(rate = 1_000, key = &tenant)]
    fn consumed(tenant: String) -> Result<String, ServiceError> {
        Ok(tenant)
    }
    let _clock = TurnedClock::start();
    assert_eq!(retried("ab".to_owned()), Err(ServiceError::Reset));
    assert_eq!(EVALUATED.load(Ordering::Relaxed), 1);
    assert_eq!(consumed("a".to_owned()).unwrap(), "a");
}

#[test]
fn every_attempt_takes_a_token_of_its_key_and_waits_for_it() {
    #[resilient(retries = 2, base_delay = "1ms", jitter = none, rate = "1/s", key = tenant)]
    fn call(tenant: u32) -> Result<(), ServiceError> {
        Err(ServiceError::Reset)
    }
    let clock = TurnedClock::start();
    assert!(call(1).is_err());
    assert_eq!(clock.waits(), [millis(1), millis(999), millis(2), millis(998)]);
    assert!(call(2).is_err());
    assert_eq!(clock.waits().len(), 8, "the other key waited for nobody");
}

#[test]
fn a_server_that_asks_for_quiet_pauses_that_key_alone() {
    #[resilient(rate = 1_000, key = tenant)]
    fn call(tenant: u32, throttled: bool) -> Result<(), ServiceError> {
        if throttled { Err(ServiceError::SlowDown { wait: Some(Duration::from_secs(2)) }) } else { Ok(()) }
    }
    let clock = TurnedClock::start();
    assert!(call(1, true).is_err());
    call(2, false).unwrap();
    assert_eq!(clock.elapsed(), Duration::ZERO);
    call(1, false).unwrap();
    assert!((Duration::from_secs(2)..=millis(2_001)).contains(&clock.elapsed()), "{:?}", clock.elapsed());
}

#[tokio::test(start_paused = true)]
async fn futures_are_held_across_awaits_and_what_a_dropped_one_had_is_given_back() {
    #[resilient(retries = 1, bucket(name = "held", rate = 1, burst = 1, key = tenant), breaker(name = "held", key = tenant), max_wait = none)]
    async fn call(tenant: &str) -> Result<tokio::time::Instant, ServiceError> {
        tokio::task::yield_now().await;
        Ok(tokio::time::Instant::now())
    }
    let start = tokio::spawn(call("a")).await.unwrap().unwrap();
    let mut leaving = Box::pin(call("a"));
    let mut later = Box::pin(call("a"));
    assert!(poll_once(leaving.as_mut()).is_pending() && poll_once(later.as_mut()).is_pending());
    drop(leaving);
    assert!(call("a").await.unwrap() - start < millis(1_010), "the slot of the one who left");
    assert!(later.await.unwrap() - start < millis(2_010));
    assert!(call("b").await.unwrap() - start < millis(2_020));
}

#[test]
fn a_key_that_is_waited_for_keeps_its_rate_exactly() {
    #[resilient(rate = 10, key = tenant, max_wait = none)]
    fn call(tenant: u32) {}
    let clock = TurnedClock::start();
    for _ in 0..21 {
        call(1);
    }
    assert_eq!(clock.waits(), [millis(100); 20]);
    clock.advance(Duration::from_secs(60));
    call(1);
    call(1);
    assert_eq!(clock.waits().len(), 21, "one at once after any quiet time");
}

#[test]
fn a_bucket_that_owes_is_never_forgotten_and_what_finds_no_place_shares_one() {
    #[resilient(bucket(name = "full of debtors", rate = "1/min", key = tenant, max_keys = 100), max_wait = "0s")]
    fn call(tenant: u32) -> Result<(), ServiceError> {
        Ok(())
    }
    let clock = TurnedClock::start();
    for tenant in 0..100 {
        call(tenant).unwrap();
    }
    call(100).unwrap();
    for tenant in 0..1_000 {
        assert!(is_limited(call(tenant)), "{tenant}");
    }
    clock.advance(Duration::from_secs(60));
    for tenant in 1_000..1_100 {
        assert!(!is_limited(call(tenant)), "those who owe nothing make place: {tenant}");
    }
    assert!(!is_limited(call(1_100)) && is_limited(call(1_101)));
}

#[test]
fn an_open_breaker_and_one_with_failures_are_never_forgotten() {
    #[resilient(breaker(name = "full of failures", failure_threshold = 2, key = host, max_keys = 3))]
    fn call(host: u32, fails: bool) -> Result<(), ServiceError> {
        if fails { Err(ServiceError::Reset) } else { Ok(()) }
    }
    let _clock = TurnedClock::start();
    assert_eq!(call(0, true), Err(ServiceError::Reset));
    assert_eq!((call(1, true), call(1, true)), (Err(ServiceError::Reset), Err(ServiceError::Reset)));
    for host in 10..1_000 {
        call(host, false).unwrap();
    }
    let breakers = resilient::keyed_breakers("full of failures");
    assert_eq!(breakers.len(), 3);
    assert_eq!(breakers.get(&0_u32).unwrap().failures(), 1);
    assert_eq!(breakers.get(&1_u32).unwrap().state(), State::Open);
    call(2, true).unwrap_err();
    for _ in 0..10 {
        assert_eq!(call(3, true), Err(ServiceError::Reset), "without a breaker it runs");
    }
    assert!(breakers.get(&3_u32).is_none());
    call(2, false).unwrap();
    for _ in 0..2 {
        assert_eq!(call(3, true), Err(ServiceError::Reset));
    }
    assert!(matches!(call(3, true).unwrap_err().rejected(), Rejected::CircuitOpen(_)), "a clean one made place");
}

#[tokio::test(start_paused = true)]
async fn a_bulkhead_in_use_is_never_forgotten() {
    #[resilient(bulkhead(name = "full of calls", concurrency = 1, key = host, max_keys = 2), max_wait = "0s")]
    async fn call(host: u32) -> Result<(), ServiceError> {
        tokio::task::yield_now().await;
        Ok(())
    }
    let mut calls: Vec<_> = (0..3).map(|host| Box::pin(call(host))).collect();
    for call in &mut calls {
        assert!(poll_once(call.as_mut()).is_pending());
    }
    for host in 0..100 {
        assert!(matches!(call(host).await.unwrap_err().rejected(), Rejected::BulkheadFull(_)), "{host}");
    }
    calls.remove(0).await.unwrap();
    for host in 100..200 {
        assert!(!matches!(poll_once(Box::pin(call(host)).as_mut()), Poll::Ready(Err(_))), "{host}");
    }
    assert!(call(1).await.is_err());
}

#[test]
fn a_million_keys_leave_no_more_than_may_be() {
    #[resilient(rate = 1_000_000, breaker = "a million", key = tenant, max_keys = 1_000)]
    fn call(tenant: u64) -> Result<(), ServiceError> {
        Ok(())
    }
    let clock = TurnedClock::start();
    for tenant in 0..1_000_000 {
        clock.advance(Duration::from_micros(1));
        call(tenant).unwrap();
    }
    assert_eq!(resilient::keyed_breakers("a million").len(), 1_000);
}

#[test]
fn idle_keys_of_one_type_make_place_for_those_of_another() {
    #[resilient(breaker(name = "one makes place", key = host, max_keys = 2))]
    fn by_number(host: u32) -> Result<(), ServiceError> {
        Ok(())
    }
    #[resilient(breaker(name = "one makes place", key = host, max_keys = 2))]
    fn by_name(host: &str) -> Result<(), ServiceError> {
        Ok(())
    }
    let _clock = TurnedClock::start();
    by_number(1).unwrap();
    by_number(2).unwrap();
    by_name("1").unwrap();
    assert!(resilient::keyed_breakers("one makes place").get("1").is_some());
    assert_eq!(resilient::keyed_breakers("one makes place").len(), 2);
}

#[test]
fn a_key_in_use_is_never_in_two_places() {
    const THREADS: u64 = 8;
    #[resilient(bucket(name = "never split", rate = "1/h", burst = 50, key = tenant, max_keys = 4), max_wait = "0s")]
    fn call(tenant: u64, admitted: &Mutex<HashMap<u64, u32>>) -> Result<(), ServiceError> {
        *admitted.lock().unwrap().entry(tenant).or_default() += 1;
        Ok(())
    }
    #[resilient(bulkhead(name = "never split", concurrency = 2, key = tenant, max_keys = 2), max_wait = "0s")]
    fn inside(tenant: u64, running: &[AtomicU32], most: &AtomicU32) -> Result<(), ServiceError> {
        let now = running[usize::try_from(tenant).unwrap()].fetch_add(1, Ordering::SeqCst) + 1;
        most.fetch_max(now, Ordering::SeqCst);
        std::thread::yield_now();
        running[usize::try_from(tenant).unwrap()].fetch_sub(1, Ordering::SeqCst);
        Ok(())
    }
    let (clock, admitted, most) = (TurnedClock::start(), Mutex::default(), AtomicU32::new(0));
    let running: Vec<_> = (0..64).map(|_| AtomicU32::new(0)).collect();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let handle = clock.handle();
            let (admitted, running, most) = (&admitted, &running, &most);
            scope.spawn(move || {
                let _clock = TurnedClock::enter(handle);
                for round in 0..2_000 {
                    let _ = call(7, admitted);
                    let _ = call(1_000 + thread * 10_000 + round, admitted);
                    let _ = inside(round % 3, running, most);
                    let _ = inside((thread + round) % 64, running, most);
                }
            });
        }
    });
    let admitted = admitted.into_inner().unwrap();
    assert_eq!(admitted[&7], 50, "exactly the burst of the key that all use");
    assert!(admitted.values().all(|count| *count <= 50));
    assert!(most.into_inner() <= 2 + 2, "two of its own, and two in the one that is shared by keys without a place");
}

#[test]
fn a_key_in_use_keeps_its_place_even_while_it_holds_nothing() {
    #[resilient(breaker(name = "kept while in use", failure_threshold = 1, key = host, max_keys = 1))]
    fn call(host: u32, inside: &dyn Fn()) -> Result<(), ServiceError> {
        inside();
        Err(ServiceError::Reset)
    }
    let _clock = TurnedClock::start();
    let others = || (2..10).for_each(|host| assert_eq!(call(host, &|| {}), Err(ServiceError::Reset)));
    assert_eq!(call(1, &others), Err(ServiceError::Reset));
    let breakers = resilient::keyed_breakers("kept while in use");
    assert_eq!(breakers.get(&1_u32).unwrap().state(), State::Open, "its failure is its own");
    let held = breakers.get(&1_u32).unwrap();
    held.reset();
    others();
    assert_eq!((held.state(), breakers.len()), (State::Closed, 1));
    drop(held);
    assert_eq!(call(2, &|| {}), Err(ServiceError::Reset));
    assert!(breakers.get(&1_u32).is_none());
    assert_eq!(breakers.get(&2_u32).unwrap().state(), State::Open);
}

#[test]
fn a_hash_or_an_equality_that_panics_harms_no_other_key() {
    #[derive(Clone)]
    struct Bomb {
        id: u32,
        hash_explodes: bool,
        eq_explodes: bool,
    }
    impl PartialEq for Bomb {
        fn eq(&self, other: &Self) -> bool {
            assert!(!self.eq_explodes && !other.eq_explodes, "eq");
            self.id == other.id
        }
    }
    impl Eq for Bomb {}
    impl Hash for Bomb {
        fn hash<H: Hasher>(&self, state: &mut H) {
            assert!(!self.hash_explodes, "hash");
            (self.id % 2).hash(state);
        }
    }
    #[resilient(rate = "1/h", key = bomb, max_wait = "0s")]
    fn call(bomb: Bomb) -> Result<(), ServiceError> {
        Ok(())
    }
    let panics = |bomb: Bomb| std::panic::catch_unwind(|| call(bomb)).is_err();
    let bomb = |id| Bomb { id, hash_explodes: false, eq_explodes: false };
    let _clock = TurnedClock::start();
    for id in 0..50 {
        call(bomb(id)).unwrap();
    }
    assert!(panics(Bomb { hash_explodes: true, ..bomb(3) }));
    assert!(panics(Bomb { eq_explodes: true, ..bomb(3) }));
    for id in 0..50 {
        assert!(is_limited(call(bomb(id))), "{id}");
    }
    call(bomb(50)).unwrap();
}

#[test]
fn a_key_that_explodes_while_the_table_grows_loses_nobody() {
    static ARMED: AtomicU32 = AtomicU32::new(0);
    #[derive(Clone, PartialEq, Eq)]
    struct Late(u32);
    impl Hash for Late {
        fn hash<H: Hasher>(&self, state: &mut H) {
            assert!(self.0 != 0 || ARMED.load(Ordering::Relaxed) == 0, "hash");
            self.0.hash(state);
        }
    }
    #[resilient(rate = "1/h", key = Late(id), max_wait = "0s")]
    fn call(id: u32) -> Result<(), ServiceError> {
        Ok(())
    }
    let _clock = TurnedClock::start();
    call(0).unwrap();
    ARMED.store(1, Ordering::Relaxed);
    let admitted: Vec<_> =
        (1..100).filter(|&id| std::panic::catch_unwind(|| call(id)).is_ok_and(|outcome| outcome.is_ok())).collect();
    ARMED.store(0, Ordering::Relaxed);
    assert!(is_limited(call(0)));
    assert!(admitted.into_iter().all(|id| is_limited(call(id))));
}
