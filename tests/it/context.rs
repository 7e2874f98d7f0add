//! What a body is told of its call.

use crate::support::{ServiceError, millis};
use async_trait::async_trait;
use resilient::testing::TurnedClock;
use resilient::{Context, Failure, IdempotencyKey, Jitter, Policy, resilient};
use std::cell::RefCell;
use std::collections::HashSet;
use std::future::pending;
use std::io;
use std::time::Duration;

/// What an attempt saw.
type Seen = (u32, Option<Duration>, IdempotencyKey);

fn see<E>(cx: &Context<E>) -> Seen {
    (cx.attempt(), cx.remaining(), cx.idempotency_key())
}

#[resilient(retries = 2, deadline = "1s", jitter = none, context = cx)]
fn thrice(seen: &RefCell<Vec<Seen>>) -> Result<(), ServiceError> {
    seen.borrow_mut().push(see(cx));
    Err(ServiceError::Reset)
}

#[test]
fn each_attempt_knows_its_number_its_time_and_the_key_of_the_call() {
    let _clock = TurnedClock::start();
    let seen = RefCell::default();
    assert!(thrice(&seen).is_err() && thrice(&seen).is_err());
    let (attempts, keys): (Vec<_>, Vec<_>) =
        seen.take().into_iter().map(|(attempt, left, key)| ((attempt, left.unwrap()), key)).unzip();
    let each = [(1, millis(1_000)), (2, millis(900)), (3, millis(700))];
    assert_eq!(attempts, [each, each].concat());
    assert!(keys[..3] == [keys[0]; 3] && keys[3..] == [keys[3]; 3] && keys[0] != keys[3]);
}

#[tokio::test(start_paused = true)]
async fn and_so_does_each_attempt_of_an_async_call() {
    #[resilient(retries = 2, timeout = "1s", deadline = "10s", jitter = none, context = cx)]
    async fn call(seen: &RefCell<Vec<Seen>>) -> Result<u32, ServiceError> {
        seen.borrow_mut().push(see(cx));
        tokio::task::yield_now().await;
        if cx.attempt() < 3 { pending().await } else { Ok(cx.attempt()) }
    }
    let seen = RefCell::default();
    assert_eq!(call(&seen).await, Ok(3));
    let seen = seen.take();
    assert_eq!(seen.iter().map(|seen| seen.1.unwrap()).collect::<Vec<_>>(), [millis(10_000), millis(8_900), millis(7_700)]);
    assert!(seen.windows(2).all(|pair| pair[0].2 == pair[1].2));
}

#[resilient(retries = 1, context = cx)]
fn key() -> io::Result<IdempotencyKey> {
    assert_eq!(cx.idempotency_key(), cx.idempotency_key());
    Ok(cx.idempotency_key())
}

#[test]
fn a_hundred_thousand_calls_on_four_threads_have_as_many_keys() {
    let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(|| (0..25_000).map(|_| key().unwrap()).collect::<Vec<_>>())).collect();
    let keys: HashSet<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    assert_eq!(keys.len(), 100_000);
    let texts: HashSet<_> = keys.iter().take(1_000).map(ToString::to_string).collect();
    assert_eq!(texts.len(), 1_000);
    assert!(texts.iter().all(|text| text.len() == 36 && &text[14..15] == "4"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asks_first_in_whichever_thread_gets_the_same_key() {
    #[resilient(retries = 1, context = cx)]
    async fn call() -> io::Result<[IdempotencyKey; 3]> {
        let ask = || std::thread::scope(|threads| threads.spawn(|| cx.idempotency_key()).join().unwrap());
        let first = ask();
        tokio::task::yield_now().await;
        Ok([first, ask(), cx.idempotency_key()])
    }
    let keys = tokio::spawn(call()).await.unwrap().unwrap();
    assert_eq!(keys, [keys[0]; 3]);
}

#[test]
fn without_a_deadline_there_is_no_end_and_after_it_nothing_is_left() {
    #[resilient(breaker = "no deadline", context = cx)]
    fn endless() -> Result<Option<Duration>, ServiceError> {
        Ok(cx.remaining())
    }
    #[resilient(deadline = "1s", context = cx)]
    fn late(clock: &TurnedClock) -> Result<Option<Duration>, ServiceError> {
        clock.advance(millis(1_500));
        Ok(cx.remaining())
    }
    let clock = TurnedClock::start();
    assert_eq!((endless(), late(&clock)), (Ok(None), Ok(Some(Duration::ZERO))));
}

mod previous_errors {
    use super::*;

    #[test]
    fn an_attempt_knows_what_the_last_one_failed_with() {
        #[resilient(retries = 3, context = cx)]
        fn call(seen: &mut Vec<Option<String>>) -> Result<(), ServiceError> {
            seen.push(cx.previous_error().map(ToString::to_string));
            match cx.previous_error() {
                None => Err(ServiceError::Reset),
                Some(ServiceError::Reset) => Err(ServiceError::Maintenance { wait: millis(1) }),
                Some(_) => Ok(()),
            }
        }
        let (_clock, mut seen) = (TurnedClock::start(), Vec::new());
        assert_eq!(call(&mut seen), Ok(()));
        assert_eq!(seen, [None, Some("reset".to_owned()), Some("maintenance".to_owned())]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_timeout_is_an_error_too_and_the_future_stays_send() {
        #[resilient(retries = 1, timeout = "1s", context = cx)]
        async fn call() -> Result<String, ServiceError> {
            match cx.previous_error() {
                None => pending().await,
                Some(error) => {
                    tokio::task::yield_now().await;
                    Ok(error.to_string())
                }
            }
        }
        let told = tokio::spawn(call()).await.unwrap().unwrap();
        assert!(told.contains("was stopped: attempt 1 took longer than its timeout of 1s"), "{told}");
    }

    #[tokio::test(start_paused = true)]
    async fn on_the_way_to_a_fallback_a_timeout_is_none() {
        #[resilient(retries = 2, timeout = "1s", context = cx, fallback = |_| Err("fallback".to_owned()))]
        async fn call(seen: &RefCell<Vec<Option<String>>>) -> Result<(), String> {
            seen.borrow_mut().push(cx.previous_error().cloned());
            if cx.attempt() == 2 { pending().await } else { Err(format!("attempt {}", cx.attempt())) }
        }
        let seen = RefCell::default();
        assert_eq!(call(&seen).await, Err("fallback".to_owned()));
        assert_eq!(seen.take(), [None, Some("attempt 1".to_owned()), None]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_ask_for_it_keeps_no_error_and_may_be_sent() {
        #[derive(Debug)]
        struct Local(#[expect(dead_code, reason = "it is there to be no `Send`")] std::rc::Rc<u8>);

        #[resilient(retries = 1, context = cx)]
        async fn call() -> Result<u32, Local> {
            tokio::task::yield_now().await;
            if cx.attempt() == 1 { Err(Local(std::rc::Rc::new(7))) } else { Ok(2) }
        }
        fn is_send<T: Send>(value: T) -> T {
            value
        }
        assert_eq!(is_send(call()).await.unwrap(), 2);
    }

    #[test]
    fn a_value_that_is_tried_again_leaves_none() {
        #[resilient(retries = 1, context = cx, classify = |_| resilient::Verdict::TRANSIENT)]
        fn call() -> Result<bool, String> {
            Ok(cx.previous_error().is_none())
        }
        let _clock = TurnedClock::start();
        assert_eq!(call(), Ok(true));
    }
}

mod shapes {
    use super::*;

    struct Client {
        retries: u32,
    }

    #[async_trait]
    trait Service {
        async fn call(&self, order: String) -> Result<u32, ServiceError>;
    }

    #[async_trait]
    impl Service for Client {
        #[resilient(retries = self.retries, context = cx, clone(order))]
        async fn call(&self, order: String) -> Result<u32, ServiceError> {
            drop(order);
            tokio::task::yield_now().await;
            if cx.attempt() > self.retries { Ok(cx.attempt()) } else { Err(ServiceError::Reset) }
        }
    }

    impl Client {
        #[resilient(retries = 2, context = this_call, breaker = "context in methods")]
        fn method(&mut self) -> Result<u32, ServiceError> {
            self.retries += this_call.attempt();
            if self.retries < 6 { Err(ServiceError::Reset) } else { Ok(self.retries) }
        }

        #[resilient(retries = 1, context = cx)]
        fn future(&self) -> impl Future<Output = Result<u32, ServiceError>> + '_ {
            let retries = self.retries;
            async move { Ok(cx.attempt() + retries) }
        }

        #[resilient(timeout = "1s", context = cx)]
        fn boxed(order: String) -> std::pin::Pin<Box<dyn Future<Output = Result<String, ServiceError>> + Send>> {
            Box::pin(async move { Ok(format!("{order} {}", cx.attempt())) })
        }
    }

    #[resilient(retries = 2, context = cx)]
    async fn generic<T: Clone + PartialEq<u32>, const N: usize>(
        mut all: Vec<T>,
        (head, _): (T, [u8; N]),
    ) -> Result<usize, ServiceError> {
        all.push(head.clone());
        if cx.attempt() == 3 { Ok(all.len() + N) } else { Err(ServiceError::Reset) }
    }

    #[resilient(concurrency = 2, max_wait = none, context = cx)]
    fn no_result() -> u32 {
        cx.attempt()
    }

    #[resilient(breaker = "context with a fallback", context = cx, fallback = |failure| match failure {
        Failure::Rejected(_) => Ok(0),
        Failure::Error(error) => Err(error),
    })]
    fn with_fallback() -> Result<u32, ServiceError> {
        Ok(cx.attempt())
    }

    #[resilient(retries = 1, context = _cx)]
    fn unused() -> Result<(), ServiceError> {
        Ok(())
    }

    macro_rules! service {
        ($name:ident, $context:ident, $body:expr) => {
            #[resilient(retries = 1, context = $context)]
            fn $name() -> Result<u32, ServiceError> {
                let cx = 40;
                Ok($body + cx)
            }
        };
    }
    service!(by_macro, cx, cx.attempt());

    #[tokio::test(start_paused = true)]
    async fn it_goes_with_every_shape_of_function() {
        let mut client = Client { retries: 2 };
        assert_eq!(client.call("order".to_owned()).await, Ok(3));
        assert_eq!(client.future().await, Ok(3));
        assert_eq!(Client::boxed("attempt".to_owned()).await, Ok("attempt 1".to_owned()));
        assert_eq!(generic(vec![7_u32], (1, [0; 3])).await, Ok(5));
        let _clock = TurnedClock::start();
        assert_eq!(client.method(), Ok(8));
        assert_eq!((no_result(), with_fallback(), unused(), by_macro()), (1, Ok(1), Ok(()), Ok(41)));
    }
}

mod policies {
    use super::*;

    fn policy() -> Policy {
        Policy::builder().retries(2).deadline(Duration::from_secs(9)).jitter(Jitter::None).build().unwrap()
    }

    #[test]
    fn a_policy_tells_its_body_as_much() {
        let (_clock, mut seen) = (TurnedClock::start(), Vec::new());
        let outcome: Result<(), _> = policy().run_with_context(|cx| {
            seen.push((see(cx), cx.previous_error().map(ToString::to_string)));
            Err(io::Error::new(io::ErrorKind::TimedOut, format!("attempt {}", cx.attempt())))
        });
        assert_eq!(outcome.unwrap_err().to_string(), "attempt 3");
        let told: Vec<_> =
            seen.iter().map(|((attempt, left, _), previous)| (*attempt, left.unwrap(), previous.as_deref())).collect();
        assert_eq!(told, [(1, millis(9_000), None), (2, millis(8_900), Some("attempt 1")), (3, millis(8_700), Some("attempt 2"))]);
        assert!(seen.iter().all(|((.., key), _)| *key == seen[0].0.2));
    }

    #[tokio::test(start_paused = true)]
    async fn and_so_does_an_async_one_that_may_be_spawned() {
        let call = async {
            let seen = std::sync::Mutex::new(Vec::new());
            let outcome: Result<u32, ServiceError> = policy()
                .run_async_with_context(|cx| {
                    let seen = &seen;
                    async move {
                        tokio::task::yield_now().await;
                        seen.lock().unwrap().push((see(&cx), cx.previous_error().is_some()));
                        if cx.attempt() == 3 { Ok(3) } else { Err(ServiceError::Reset) }
                    }
                })
                .await;
            (outcome, seen.into_inner().unwrap())
        };
        let (outcome, seen) = tokio::spawn(call).await.unwrap();
        assert_eq!(outcome, Ok(3));
        assert_eq!(
            seen.iter().map(|((attempt, ..), previous)| (*attempt, *previous)).collect::<Vec<_>>(),
            [(1, false), (2, true), (3, true)]
        );
        assert!(seen.iter().all(|((.., key), _)| *key == seen[0].0.2));
    }
}
