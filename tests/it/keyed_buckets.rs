//! The token buckets of keys, in all the places where a key's word can be: in the table, in a slot, in a full bucket.

use crate::support::{ServiceError, millis, poll_once};
use resilient::testing::TurnedClock;
use resilient::{Rejected, resilient};
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const QUIET: Duration = Duration::from_secs(2);

fn slow_down() -> Result<(), ServiceError> {
    Err(ServiceError::SlowDown { wait: Some(QUIET) })
}

fn is_limited(outcome: Result<(), ServiceError>) -> bool {
    outcome.is_err_and(|error| matches!(error.rejected(), Rejected::RateLimited(_)))
}

/// Whether the pause was waited for.
fn is_paused(clock: &TurnedClock, call: impl FnOnce() -> Result<(), ServiceError>) -> bool {
    let before = clock.elapsed();
    call().unwrap();
    clock.elapsed() >= before + millis(1_900)
}

#[test]
fn threads_take_exactly_the_burst_of_every_key_however_they_take_it() {
    const KEYS: usize = 300;
    #[resilient(bucket(name = "hammered", rate = "1/h", burst = 40, key = key), max_wait = "0s")]
    fn in_passing(key: usize, _owned: &str) -> Result<(), ServiceError> {
        Ok(())
    }
    #[resilient(retries = 1, breaker = "hammered", bucket(name = "hammered", key = key), max_wait = "0s")]
    fn held(key: usize, _owned: &str) -> Result<(), ServiceError> {
        Ok(())
    }
    #[resilient(bucket(name = "hammered by name", rate = "1/h", burst = 40, key = owned), max_wait = "0s")]
    fn by_name(_key: usize, owned: &str) -> Result<(), ServiceError> {
        Ok(())
    }
    #[resilient(retries = 1, bucket(name = "hammered by name", key = owned.to_owned()), max_wait = "0s")]
    fn held_by_name(_key: usize, owned: &str) -> Result<(), ServiceError> {
        Ok(())
    }
    let admitted: [Vec<AtomicU32>; 2] = std::array::from_fn(|_| (0..KEYS).map(|_| AtomicU32::new(0)).collect());
    let clock = TurnedClock::start();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (handle, admitted) = (clock.handle(), &admitted);
            scope.spawn(move || {
                let _clock = TurnedClock::enter(handle);
                for step in 0..12_000 {
                    let key = if step % 2 == 0 { 7 } else { (step * 31 + thread) % KEYS };
                    let name = format!("tenant {key}");
                    let calls = if (step + thread) % 3 == 0 { [held, held_by_name] } else { [in_passing, by_name] };
                    for (call, admitted) in calls.iter().zip(admitted) {
                        if call(key, &name).is_ok() {
                            admitted[key].fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    for (key, admitted) in admitted.iter().flatten().enumerate() {
        assert_eq!(admitted.load(Ordering::Relaxed), 40, "{key}");
    }
}

#[test]
fn a_pause_finds_its_key_again_after_the_table_has_grown_around_it() {
    #[resilient(rate = 1_000, key = key)]
    fn call(key: u32, inside: &dyn Fn(), is_slow: bool) -> Result<(), ServiceError> {
        inside();
        if is_slow { slow_down() } else { Ok(()) }
    }
    let clock = TurnedClock::start();
    let nothing = || {};
    call(1, &nothing, false).unwrap();
    clock.advance(millis(10));
    let others = || (2..500).for_each(|key| call(key, &nothing, false).unwrap());
    assert!(call(1, &others, true).is_err());
    assert!(!is_paused(&clock, || call(2, &nothing, false)) && !is_paused(&clock, || call(499, &nothing, false)));
    assert!(is_paused(&clock, || call(1, &nothing, false)));
    assert!(!is_paused(&clock, || call(1, &nothing, false)));
}

#[test]
fn a_pause_awaits_a_key_that_was_forgotten_while_its_call_ran() {
    #[resilient(rate = 1_000, key = key, max_keys = 1)]
    fn call(key: &str, inside: &dyn Fn(), is_slow: bool) -> Result<(), ServiceError> {
        inside();
        if is_slow { slow_down() } else { Ok(()) }
    }
    let clock = TurnedClock::start();
    let nothing = || {};
    let pass = || clock.advance(millis(10));
    let others = || {
        pass();
        call("other", &nothing, false).unwrap();
        pass();
    };
    call("slow", &nothing, false).unwrap();
    pass();
    assert!(call("slow", &others, true).is_err());
    assert!(!is_paused(&clock, || call("third", &nothing, false)), "nobody else's");
    pass();
    assert!(is_paused(&clock, || call("slow", &nothing, false)));
    pass();
    call("third", &nothing, false).unwrap();
    pass();
    assert!(!is_paused(&clock, || call("slow", &nothing, false)), "it was for once");
    for _ in 0..3 {
        pass();
        assert!(call("slow", &others, true).is_err(), "again and again");
        clock.advance(2 * QUIET);
    }
    assert!(!is_paused(&clock, || call("slow", &nothing, false)), "nobody came while it lasted");
}

#[test]
fn no_pause_of_a_forgotten_key_reaches_another_however_many_there_are() {
    #[resilient(rate = 1_000, key = key, max_keys = 1)]
    fn call(key: u32, inside: &dyn Fn(), is_slow: bool) -> Result<(), ServiceError> {
        inside();
        if is_slow { slow_down() } else { Ok(()) }
    }
    let clock = TurnedClock::start();
    let nothing = || {};
    let pass = || clock.advance(millis(2));
    let forget = || {
        pass();
        call(0, &nothing, false).unwrap();
        pass();
    };
    for key in 1..200 {
        call(key, &nothing, false).unwrap();
        pass();
        assert!(call(key, &forget, true).is_err());
    }
    let wait = |key: u32| {
        pass();
        let before = clock.elapsed();
        call(key, &nothing, false).unwrap();
        clock.elapsed().saturating_sub(before)
    };
    assert!((1_000..1_100).all(|key| wait(key) < millis(10)));
    assert!(wait(1) > millis(400), "the first ones are kept");
}

#[test]
fn forgotten_keys_that_come_back_find_each_its_own_pause() {
    #[resilient(bucket(name = "come back", rate = 1_000, key = key, max_keys = 40))]
    fn call(key: u32, inside: &dyn Fn(), is_slow: bool) -> Result<(), ServiceError> {
        inside();
        if is_slow { slow_down() } else { Ok(()) }
    }
    #[resilient(bucket = "come back", key = key, max_wait = "0s")]
    fn at_once(key: u32) -> Result<(), ServiceError> {
        Ok(())
    }
    let clock = TurnedClock::start();
    let nothing = || {};
    let forget = || {
        for key in 1_000..1_100 {
            clock.advance(millis(2));
            call(key, &nothing, false).unwrap();
        }
        clock.advance(millis(2));
    };
    for key in 0..8 {
        call(key, &nothing, false).unwrap();
        clock.advance(millis(2));
        assert!(call(key, &forget, true).is_err());
    }
    let paused: Vec<_> = (0..20).filter(|key| is_limited(at_once(*key))).collect();
    assert_eq!(paused, [0, 1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn pauses_that_are_over_make_room_for_those_of_others() {
    #[resilient(rate = 1_000, key = key, max_keys = 1)]
    fn call(key: u32, inside: &dyn Fn(), is_slow: bool) -> Result<(), ServiceError> {
        inside();
        if is_slow { slow_down() } else { Ok(()) }
    }
    let clock = TurnedClock::start();
    let nothing = || {};
    let pass = || clock.advance(millis(2));
    let forget = || {
        pass();
        call(0, &nothing, false).unwrap();
        pass();
    };
    for key in 1..200 {
        call(key, &nothing, false).unwrap();
        pass();
        assert!(call(key, &forget, true).is_err());
        clock.advance(QUIET);
    }
    for key in 200..210 {
        call(key, &nothing, false).unwrap();
        pass();
        assert!(call(key, &forget, true).is_err());
        pass();
        assert!(is_paused(&clock, || call(key, &nothing, false)), "{key}");
    }
}

#[test]
fn keys_that_hash_alike_are_paused_one_by_one() {
    #[derive(Clone, Copy, PartialEq, Eq)]
    struct Twin(u32);
    impl Hash for Twin {
        fn hash<H: Hasher>(&self, state: &mut H) {
            0_u8.hash(state);
        }
    }
    #[resilient(rate = 1_000, key = key)]
    fn call(key: Twin, inside: &dyn Fn(), is_slow: bool) -> Result<(), ServiceError> {
        inside();
        if is_slow { slow_down() } else { Ok(()) }
    }
    let clock = TurnedClock::start();
    let nothing = || {};
    let all = |keys: std::ops::Range<u32>| keys.for_each(|key| call(Twin(key), &nothing, false).unwrap());
    all(0..5);
    clock.advance(millis(10));
    assert!(call(Twin(3), &|| all(5..50), true).is_err());
    let paused: Vec<_> = (0..50).filter(|key| is_paused(&clock, || call(Twin(*key), &nothing, false))).collect();
    assert_eq!(paused, [3]);
}

#[test]
fn a_call_that_is_refused_before_it_begins_takes_no_token() {
    #[resilient(rate = "1/h", key = key, max_wait = "0s")]
    fn inner(key: u32) -> Result<(), ServiceError> {
        Ok(())
    }
    #[resilient(deadline = "1s")]
    fn outer(late: &dyn Fn()) -> Result<(), ServiceError> {
        inner(1)?;
        late();
        inner(2)
    }
    let clock = TurnedClock::start();
    clock.advance(Duration::from_secs(3_600));
    assert_eq!((inner(1), inner(2)), (Ok(()), Ok(())));
    clock.advance(Duration::from_secs(3_600));
    let rejected = outer(&|| clock.advance(Duration::from_secs(2))).unwrap_err().rejected();
    assert!(matches!(rejected, Rejected::DeadlineExceeded(_)));
    assert!(is_limited(inner(1)));
    assert_eq!(inner(2), Ok(()));
}

#[test]
fn settings_that_are_worked_out_for_each_call_count_for_its_tokens() {
    #[resilient(retries = retries, base_delay = "1ms", jitter = none, rate = "1/s", key = key)]
    fn call(key: u32, retries: u32) -> Result<(), ServiceError> {
        Err(ServiceError::Reset)
    }
    let clock = TurnedClock::start();
    for key in [1, 2] {
        assert!(call(key, 0).is_err());
        clock.advance(Duration::from_secs(10));
    }
    assert!(call(1, 2).is_err());
    assert_eq!(clock.waits(), [millis(1), millis(999), millis(2), millis(998)]);
}

#[tokio::test(start_paused = true)]
async fn a_reservation_keeps_its_key_however_many_others_come_and_is_given_back() {
    #[resilient(rate = 1, key = key, max_keys = 2, max_wait = none)]
    async fn call(key: u32) -> Result<(), ServiceError> {
        Ok(())
    }
    let start = tokio::time::Instant::now();
    call(1).await.unwrap();
    let (mut leaving, mut later) = (Box::pin(call(1)), Box::pin(call(1)));
    assert!(poll_once(leaving.as_mut()).is_pending() && poll_once(later.as_mut()).is_pending());
    for key in 10..20 {
        let _ = poll_once(Box::pin(call(key)).as_mut());
    }
    drop(leaving);
    call(1).await.unwrap();
    assert_eq!(start.elapsed().as_millis() / 10, 100, "the slot of the one who left");
    later.await.unwrap();
    assert_eq!(start.elapsed().as_millis() / 10, 200);
    tokio::time::sleep(Duration::from_secs(10)).await;
    let start = tokio::time::Instant::now();
    for key in 20..30 {
        call(key).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(start.elapsed() < millis(10_100), "whoever waited makes place once all is paid: {:?}", start.elapsed());
}

#[test]
fn keys_come_and_go_for_ever_and_none_starts_with_more_than_its_burst() {
    #[resilient(rate = 100, burst = 2, key = key, max_keys = 50, max_wait = "0s")]
    fn call(key: String) -> Result<(), ServiceError> {
        Ok(())
    }
    let clock = TurnedClock::start();
    for round in 0..20_000_u32 {
        clock.advance(millis(1));
        // Each key comes back after 199 ms, and is in debt for 20 ms, so there is always place.
        let key = format!("key {}", round * 67 % 199);
        assert_eq!(call(key.clone()), Ok(()), "{round}");
        if round % 7 == 0 {
            let more = (0..5).filter(|_| !is_limited(call(key.clone()))).count();
            assert_eq!(more, 1, "{round}");
        }
    }
}

#[test]
fn who_waits_for_a_keys_token_holds_no_slot_and_takes_no_token_of_nobody() {
    #[resilient(bucket(name = "one each", rate = "1/s", key = key), concurrency = 1)]
    fn call(key: usize) -> Result<(), ServiceError> {
        Ok(())
    }
    let clock = TurnedClock::start();
    for seconds in 0..3 {
        assert_eq!(call(7), Ok(()));
        assert_eq!(clock.elapsed(), Duration::from_secs(seconds));
    }
    assert_eq!(call(8), Ok(()));
    assert_eq!(clock.elapsed(), Duration::from_secs(2));
}

#[test]
fn keys_of_as_many_types_as_there_are_share_a_name_and_no_token() {
    macro_rules! keyed {
        ($($call:ident: $key:ty),*) => {$(
            #[resilient(bucket(name = "many types", rate = "1/h", burst = 2, key = key), max_wait = "0s")]
            fn $call(key: $key) -> Result<(), ServiceError> {
                Ok(())
            }
        )*};
    }
    keyed!(by_u8: u8, by_u16: u16, by_u32: u32, by_i64: i64, by_char: char);
    let _clock = TurnedClock::start();
    for admitted in [true, true, false] {
        let outcomes = [by_u8(7), by_u16(7), by_u32(7), by_i64(7), by_char('7')];
        assert_eq!(outcomes.map(|outcome| outcome.is_ok()), [admitted; 5]);
    }
    for limited in [by_u8(7), by_u16(7), by_u32(7), by_i64(7), by_char('7')] {
        assert!(is_limited(limited));
    }
}

/// A token that is taken on the way to what refuses would be lost.
mod a_refused_call_takes_no_token_of_its_key {
    use super::*;
    use std::future::pending;

    fn refused(outcome: Result<(), ServiceError>) -> bool {
        outcome.is_err_and(|error| matches!(error.rejected(), Rejected::CircuitOpen(_) | Rejected::BulkheadFull(_)))
    }

    #[test]
    fn by_a_breaker() {
        #[resilient(bucket(name = "refused by one breaker", rate = "1/h", key = key), breaker = "refused by one breaker", max_wait = "0s")]
        fn call(key: u32) -> Result<(), ServiceError> {
            Ok(())
        }
        let _clock = TurnedClock::start();
        resilient::breaker("refused by one breaker").force_open();
        assert!(refused(call(1)) && refused(call(1)));
        resilient::breaker("refused by one breaker").reset();
        assert_eq!(call(1), Ok(()));
        assert!(is_limited(call(1)));
    }

    #[test]
    fn by_the_keys_breaker() {
        #[resilient(
            bucket(name = "refused by its breaker", rate = "1/h", burst = 2),
            breaker(name = "refused by its breaker", failure_threshold = 1),
            key = key,
            max_wait = "0s"
        )]
        fn call(key: u32, fails: bool) -> Result<(), ServiceError> {
            if fails { Err(ServiceError::Reset) } else { Ok(()) }
        }
        let clock = TurnedClock::start();
        assert_eq!(call(1, true), Err(ServiceError::Reset));
        assert!(refused(call(1, false)) && refused(call(1, false)));
        clock.advance(Duration::from_secs(5));
        assert_eq!(call(1, false), Ok(()));
        assert!(is_limited(call(1, false)));
    }

    #[tokio::test(start_paused = true)]
    async fn by_a_bulkhead() {
        #[resilient(bucket(name = "refused by one limit", rate = "1/h", burst = 2, key = key), concurrency = 1, max_wait = "0s")]
        async fn call(key: u32, hangs: bool) -> Result<(), ServiceError> {
            if hangs { pending().await } else { Ok(()) }
        }
        let mut hangs = Box::pin(call(1, true));
        assert!(poll_once(hangs.as_mut()).is_pending());
        assert!(refused(call(1, false).await));
        drop(hangs);
        assert_eq!(call(1, false).await, Ok(()));
        assert!(is_limited(call(1, false).await));
    }

    #[tokio::test(start_paused = true)]
    async fn by_the_keys_bulkhead() {
        #[resilient(
            bucket(name = "refused by its limit", rate = "1/h", burst = 2),
            bulkhead(name = "refused by its limit", concurrency = 1),
            key = key,
            max_wait = "0s"
        )]
        async fn call(key: u32, hangs: bool) -> Result<(), ServiceError> {
            if hangs { pending().await } else { Ok(()) }
        }
        let mut hangs = Box::pin(call(1, true));
        assert!(poll_once(hangs.as_mut()).is_pending());
        assert!(refused(call(1, false).await));
        drop(hangs);
        assert_eq!(call(1, false).await, Ok(()));
        assert!(is_limited(call(1, false).await));
    }
}
