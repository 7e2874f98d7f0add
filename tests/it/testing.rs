//! What `resilient::testing` wants of a thread.

use crate::support::{Counter, ServiceError, millis, ready};
use resilient::testing::{self, Scripted, TurnedClock};
use resilient::{Rejected, State, resilient};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

fn message(panics: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(panics)).unwrap_err();
    *panic.downcast::<String>().unwrap()
}

fn waits_an_hour() -> Result<u32, ServiceError> {
    #[resilient(retries = 2, base_delay = "1h", max_delay = "1h", jitter = none, budget = none)]
    fn call() -> Result<u32, ServiceError> {
        Err(ServiceError::Reset)
    }
    call()
}

mod waits {
    use super::*;

    #[test]
    fn between_attempts_take_no_time_and_turn_no_clock() {
        let clock = TurnedClock::start();
        let skipped = testing::without_waits();
        assert_eq!(waits_an_hour(), Err(ServiceError::Reset));
        assert_eq!((skipped.waits(), clock.waits(), clock.elapsed()), (vec![HOUR, HOUR], vec![], Duration::ZERO));
        drop(skipped);
        assert!(waits_an_hour().is_err());
        assert_eq!(clock.waits(), [HOUR, HOUR]);
    }

    /// It waited for ever.
    #[test]
    fn for_a_token_at_the_end_of_a_turned_clock_say_so() {
        #[resilient(rate = "1/h", max_wait = none)]
        fn call() {}
        let clock = TurnedClock::start();
        clock.advance(Duration::MAX);
        call();
        assert_eq!(message(call), "a call waits for 3600s, and this `TurnedClock` shows its last moment");
    }

    #[test]
    fn are_drawn_from_the_seed_until_it_is_dropped() {
        #[resilient(retries = 3, base_delay = "1h", max_delay = "1h", budget = none)]
        fn call() -> Result<u32, ServiceError> {
            Err(ServiceError::Reset)
        }
        let waited = || {
            let skipped = testing::without_waits();
            call().unwrap_err();
            skipped.waits()
        };
        let seeded = testing::seeded_jitter(7);
        let (first, second) = (waited(), waited());
        drop(seeded);
        assert_ne!(first, second);
        let seeded = testing::seeded_jitter(7);
        assert_eq!(waited(), first);
        drop(seeded);
        assert_ne!(waited(), second);
    }

    #[tokio::test]
    async fn of_async_calls_neither() {
        #[resilient(retries = 1, base_delay = "1h", max_delay = "1h", jitter = none, rate = "1/h", burst = 2)]
        async fn call() -> Result<(), ServiceError> {
            Err(ServiceError::Reset)
        }
        let skipped = testing::without_waits();
        assert_eq!(call().await, Err(ServiceError::Reset));
        assert_eq!(skipped.waits(), [HOUR]);
    }

    #[test]
    fn for_tokens_take_none_so_that_calls_in_a_row_are_not_refused() {
        #[resilient(rate = 10)]
        fn call() -> Result<(), Rejected> {
            Ok(())
        }
        #[resilient(rate = "1/h", max_wait = "30m")]
        fn too_slow() -> Result<(), Rejected> {
            Ok(())
        }
        let _clock = TurnedClock::start();
        let skipped = testing::without_waits();
        assert!((0..100).all(|_| call().is_ok()));
        assert_eq!(skipped.waits(), [millis(100); 99]);
        assert!(too_slow().is_ok());
        assert!(matches!(too_slow(), Err(Rejected::RateLimited(_))), "that wait is too long, skipped or not");
    }

    #[test]
    fn that_servers_ask_for_do_not_stop_what_follows() {
        #[resilient(retries = 1, rate = 1000, burst = 9, breaker(name = "hints without waits", failure_threshold = 1))]
        fn call(attempts: &Counter) -> Result<(), ServiceError> {
            let wait = Some(Duration::from_secs(30));
            if attempts.count() == 1 { Err(ServiceError::SlowDown { wait }) } else { Ok(()) }
        }
        let clock = TurnedClock::start();
        let skipped = testing::without_waits();
        assert_eq!(call(&Counter::default()), Ok(()));
        assert!(skipped.waits()[0] >= Duration::from_secs(30));
        assert_eq!(clock.elapsed(), Duration::ZERO);
    }

    #[test]
    fn bring_no_deadline_nearer_but_are_still_too_long_for_it() {
        #[resilient(retries = 9, deadline = "10s", base_delay = "4s", backoff = constant, jitter = none)]
        fn call(attempts: &Counter) -> Result<(), ServiceError> {
            attempts.count();
            Err(ServiceError::Reset)
        }
        #[resilient(retries = 9, deadline = "3s", base_delay = "4s", backoff = constant, jitter = none)]
        fn hopeless(attempts: &Counter) -> Result<(), ServiceError> {
            attempts.count();
            Err(ServiceError::Reset)
        }
        let _clock = TurnedClock::start();
        let skipped = testing::without_waits();
        let (attempts, hopeless_attempts) = (Counter::default(), Counter::default());
        assert!(call(&attempts).is_err() && hopeless(&hopeless_attempts).is_err());
        assert_eq!((attempts.get(), hopeless_attempts.get(), skipped.waits().len()), (10, 1, 9));
    }

    #[test]
    fn for_a_place_are_refused_where_time_alone_could_end_them() {
        #[resilient(concurrency = 1)]
        fn call(depth: u32) -> Result<u32, Rejected> {
            if depth == 0 { Ok(0) } else { call(depth - 1) }
        }
        let skipped = testing::without_waits();
        assert!(matches!(call(1), Err(Rejected::BulkheadFull(_))));
        assert_eq!(skipped.waits().len(), 1);
    }

    #[test]
    fn that_nobody_needs_are_not_skipped_so_a_token_that_is_there_is_spent() {
        #[resilient(breaker(name = "spends", failure_threshold = 1), rate = "1/day", burst = 2, max_wait = "0s")]
        fn call(fails: bool) -> Result<(), ServiceError> {
            if fails { Err(ServiceError::Reset) } else { Ok(()) }
        }
        let clock = TurnedClock::start();
        let _skipped = testing::without_waits();
        assert_eq!(call(true), Err(ServiceError::Reset));
        clock.advance(HOUR);
        assert_eq!(call(false), Ok(()), "a probe, which looks for its token the long way");
        assert!(matches!(call(false).unwrap_err().rejected(), Rejected::RateLimited(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn for_a_place_are_waited_where_others_can_go_on() {
        #[resilient(concurrency = 1)]
        async fn call() -> Result<(), Rejected> {
            tokio::task::yield_now().await;
            Ok(())
        }
        let _skipped = testing::without_waits();
        assert_eq!(tokio::join!(call(), call(), call()), (Ok(()), Ok(()), Ok(())));
    }
}

mod attempts {
    use super::*;

    #[resilient(retries = 5, base_delay = "1ms", clone(order))]
    fn call(order: Vec<u8>, attempts: &Counter) -> Result<Box<[u8]>, ServiceError> {
        attempts.count();
        drop(order.into_boxed_slice());
        Err(ServiceError::Reset)
    }

    fn count() -> u32 {
        let attempts = Counter::default();
        assert!(call(vec![1], &attempts).is_err());
        attempts.get()
    }

    #[test]
    fn are_capped_by_the_lowest_cap_until_it_is_dropped() {
        let _skipped = testing::without_waits();
        let two = testing::cap_attempts(2);
        assert_eq!(count(), 2);
        let one = testing::cap_attempts(1);
        let nine = testing::cap_attempts(9);
        assert_eq!(count(), 1);
        drop(two);
        assert_eq!(count(), 1);
        drop(one);
        assert_eq!(count(), 6);
        drop(nine);
    }

    #[test]
    fn are_at_least_one() {
        let panic = catch_unwind(|| drop(testing::cap_attempts(0))).unwrap_err();
        assert!(panic.downcast_ref::<&str>().unwrap().contains("at least one attempt"));
    }
}

mod guards {
    use super::*;

    #[test]
    fn may_be_dropped_in_any_order() {
        let first = TurnedClock::start();
        let second = TurnedClock::start();
        drop(first);
        second.advance(HOUR);
        assert_eq!((waits_an_hour().is_err(), second.waits()), (true, vec![HOUR, HOUR]));
        let skipped = testing::without_waits();
        let inner = testing::without_waits();
        drop(skipped);
        assert!(waits_an_hour().is_err());
        assert_eq!((inner.waits().len(), second.waits().len()), (2, 2));
    }

    #[test]
    fn are_for_one_thread_and_those_that_enter() {
        let skipped = testing::without_waits();
        let _cap = testing::cap_attempts(2);
        let clock = TurnedClock::start();
        let here = testing::handle();
        let other = std::thread::spawn(move || {
            let own = TurnedClock::start();
            assert!(waits_an_hour().is_err());
            let entered = here.enter();
            assert!(waits_an_hour().is_err());
            drop(entered);
            own.waits()
        });
        assert_eq!((other.join().unwrap(), skipped.waits()), (vec![HOUR, HOUR], vec![HOUR]));
        assert_eq!(clock.elapsed(), Duration::ZERO);
    }
}

mod scripts {
    use super::*;

    #[test]
    fn leave_the_clock_of_others_turned() {
        #[resilient(breaker(name = "beside a script", failure_threshold = 1))]
        fn beside(outcome: Result<(), ServiceError>) -> Result<(), ServiceError> {
            outcome
        }
        #[resilient(retries = 1)]
        fn played() -> Result<u32, ServiceError> {
            Ok(1)
        }
        let clock = TurnedClock::start();
        let _script = testing::script("played").succeed(1, || 7_u32);
        assert!(beside(Err(ServiceError::Reset)).is_err());
        assert!(matches!(beside(Ok(())).unwrap_err().rejected(), Rejected::CircuitOpen(_)));
        clock.advance(Duration::from_secs(5));
        assert_eq!((beside(Ok(())), played()), (Ok(()), Ok(7)));
    }

    fn body() -> ! {
        panic!("the body ran");
    }

    #[test]
    fn take_the_place_of_attempts_and_everything_around_them_works() {
        #[resilient(retries = 1, base_delay = "1ms", breaker(name = "scripted", failure_threshold = 3), rate = 1000, burst = 99)]
        fn charge_sync(order: u32) -> Result<u32, ServiceError> {
            Ok(order)
        }
        let _clock = TurnedClock::start();
        let script = testing::script("charge_sync").fail(1, || ServiceError::Reset).succeed(1, || 7_u32);
        assert_eq!(charge_sync(1), Ok(7));
        assert_eq!((charge_sync(1), script.calls()), (Ok(1), 2), "used up, it lets the body run");
        drop(script);
        let script = testing::script("it::testing::scripts::charge_sync").fail(9, || ServiceError::Reset);
        assert_eq!((charge_sync(1), charge_sync(1)), (Err(ServiceError::Reset), Err(ServiceError::Reset)));
        assert_eq!(resilient::breaker("scripted").state(), State::Open);
        assert_eq!(script.calls(), 3);
        assert!(matches!(charge_sync(1), Err(ServiceError::Rejected(Rejected::CircuitOpen(_)))));
        drop(script);
        resilient::breaker("scripted").reset();
        let script = testing::script("charge_sync").fail(1, || ServiceError::NotFound).then_forbid();
        assert_eq!(charge_sync(1), Err(ServiceError::NotFound), "permanent, so not tried again");
        assert!(message(|| drop(charge_sync(1))).contains("more than the 1 that its script allows"));
        assert_eq!(script.calls(), 1);
    }

    #[test]
    fn are_heard_with_a_key_as_well() {
        #[resilient(rate = "1/h", key = tenant, max_wait = "0s")]
        fn charge_keyed(tenant: u32) -> Result<u32, ServiceError> {
            Ok(tenant)
        }
        let _clock = testing::TurnedClock::start();
        let script = testing::script("charge_keyed").succeed(2, || 7_u32);
        assert_eq!((charge_keyed(1), charge_keyed(2)), (Ok(7), Ok(7)));
        drop(script);
        assert!(charge_keyed(1).is_err(), "what a script plays takes its token");
        assert_eq!(charge_keyed(3), Ok(3));
    }

    #[tokio::test(start_paused = true)]
    async fn are_for_async_functions_as_well_and_may_time_out() {
        #[resilient(
            retries = 2,
            base_delay = "1ms",
            timeout = "1s",
            deadline = "1m",
            bulkhead = "scripted",
            breaker = "scripted async"
        )]
        async fn charge_async(order: u32) -> Result<u32, ServiceError> {
            Ok(order)
        }
        #[resilient(retries = 2, base_delay = "1ms")]
        async fn unrefused(text: &str) -> Result<&str, ServiceError> {
            Ok(text)
        }
        let script = testing::script("charge_async").fail(1, || ServiceError::Reset).time_out(1).succeed(1, || 7_u32);
        assert_eq!(charge_async(1).await, Ok(7));
        assert_eq!(resilient::bulkhead("scripted").in_flight(), 0);
        assert_eq!(script.calls(), 3);
        drop(script);
        let script = testing::script("charge_async").time_out(9);
        assert!(matches!(charge_async(1).await, Err(ServiceError::Rejected(Rejected::Timeout(_)))));
        assert_eq!(script.calls(), 3);
        assert_eq!(resilient::breaker("scripted async").failures(), 3);
        let script = testing::script("unrefused").fail(2, || ServiceError::Reset);
        assert_eq!((unrefused("a").await, script.calls()), (Ok("a"), 2));
    }

    #[test]
    fn reach_every_shape_whose_types_are_scripted() {
        struct Receipt(u32);
        impl Scripted for Receipt {}
        #[derive(Debug)]
        struct Own;
        impl Scripted for Own {}

        struct Shop<T>(T);
        impl<T: Clone> Shop<T> {
            #[resilient(retries = 1, base_delay = "1ms")]
            fn generic_method(&self) -> Result<T, std::io::Error> {
                body()
            }

            #[resilient(retries = 1, base_delay = "1ms")]
            async fn borrows<'a>(&'a self, _name: &str) -> Result<&'a T, Own> {
                body()
            }
        }
        #[resilient(rate = 1000, burst = 9)]
        fn aliased() -> anyhow::Result<Receipt> {
            body()
        }
        #[resilient(concurrency = 4, max_wait = none)]
        async fn plain() -> Option<Vec<String>> {
            body()
        }
        #[resilient(concurrency = 4, max_wait = none)]
        fn nothing() {
            body()
        }
        #[resilient(retries = 1, base_delay = "1ms")]
        fn boxed() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
            body()
        }
        let _skipped = testing::without_waits();
        let script = testing::script("generic_method").fail(2, || std::io::Error::from(std::io::ErrorKind::TimedOut)).then_forbid();
        assert_eq!(Shop("x").generic_method().unwrap_err().kind(), std::io::ErrorKind::TimedOut);
        drop(script);
        let _script = testing::script("borrows").fail(2, || Own);
        assert!(ready(Shop(1).borrows("x")).is_err());
        let _script = testing::script("aliased").succeed(1, || Receipt(7)).fail(1, || anyhow::anyhow!("no"));
        assert_eq!((aliased().unwrap().0, aliased().map(|_| ()).unwrap_err().to_string()), (7, "no".to_owned()));
        let _script = testing::script("plain").succeed(1, || Some(vec!["a".to_owned()]));
        assert_eq!(ready(plain()), Some(vec!["a".to_owned()]));
        let _script = testing::script("nothing").succeed(1, || ());
        nothing();
        let _script = testing::script("boxed").fail(2, || Box::<dyn std::error::Error + Send + Sync>::from("no"));
        assert_eq!(boxed().unwrap_err().to_string(), "no");
    }

    #[test]
    fn that_give_what_a_function_cannot_return_say_so() {
        #[derive(Debug)]
        struct Unknown;

        #[resilient(retries = 1)]
        fn unknown() -> Result<u32, Unknown> {
            body()
        }
        #[resilient(retries = 1)]
        fn opaque() -> Result<impl Sized, ServiceError> {
            Ok(1)
        }
        let script = testing::script("unknown").fail(1, || ServiceError::Reset);
        let said = message(|| drop(unknown()));
        for part in ["fail with `it::support::ServiceError`", "Unknown>`", "impl resilient::testing::Scripted for"] {
            assert!(said.contains(part), "{said}");
        }
        drop(script);
        let script = testing::script("unknown").succeed(1, || 7_u64);
        assert!(message(|| drop(unknown())).contains("succeed with `u64`"));
        drop(script);
        let script = testing::script("unknown").time_out(1);
        assert!(message(|| drop(unknown())).contains("has no `timeout`"));
        drop(script);
        let _script = testing::script("opaque").fail(1, || ServiceError::Reset);
        assert!(message(|| drop(opaque())).contains("cannot be scripted"));
    }

    #[test]
    fn that_nobody_called_and_names_that_are_two_are_told() {
        mod one {
            #[resilient::resilient(retries = 1)]
            pub(super) fn double() -> Result<(), std::io::Error> {
                Ok(())
            }
        }
        mod two {
            #[resilient::resilient(retries = 1)]
            pub(super) fn double() -> Result<(), std::io::Error> {
                Ok(())
            }
        }
        let script = testing::script("duoble");
        assert!(one::double().is_ok());
        let said = message(|| drop(script));
        assert!(said.contains("`testing::script(\"duoble\")`: no attempt of a function of that name began"), "{said}");
        assert!(said.contains("one::double`"), "{said}");
        assert!(message(|| drop(testing::script("nobody"))).contains("none was"));
        let script = testing::script("double");
        assert!(one::double().is_ok());
        assert!(message(|| drop(two::double())).contains("is ambiguous"));
        drop(script);
        let script = testing::script("two::double").fail(9, || std::io::Error::from(std::io::ErrorKind::NotFound));
        assert!(one::double().is_ok() && two::double().is_err());
        drop(script);
        let said = message(|| {
            let _unused = testing::script("unused");
            panic!("{}", "the first panic");
        });
        assert_eq!(said, "the first panic");
    }

    #[test]
    fn are_shared_with_threads_that_enter_and_by_nobody_else() {
        #[resilient(retries = 9, base_delay = "1ms", budget = none)]
        fn shared() -> Result<u32, ServiceError> {
            Ok(1)
        }
        let _skipped = testing::without_waits();
        let script = testing::script("shared").succeed(3, || 7_u32);
        assert_eq!(std::thread::spawn(shared).join().unwrap(), Ok(1));
        let here = Arc::new(testing::handle());
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let here = Arc::clone(&here);
                std::thread::spawn(move || {
                    let _entered = here.enter();
                    shared()
                })
            })
            .collect();
        assert!(threads.into_iter().all(|thread| thread.join().unwrap() == Ok(7)));
        assert_eq!((shared(), script.calls()), (Ok(1), 3));
    }

    #[test]
    fn the_inner_one_decides_until_it_is_used_up() {
        #[resilient(retries = 1)]
        fn nested() -> Result<u32, ServiceError> {
            Ok(0)
        }
        let outer = testing::script("nested").succeed(2, || 1_u32);
        let inner = testing::script("nested").succeed(1, || 2_u32);
        assert_eq!([nested(), nested()], [Ok(2), Ok(1)]);
        drop(outer);
        assert_eq!((nested(), inner.calls()), (Ok(0), 1));
    }
}
