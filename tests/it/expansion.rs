//! What the expansion must not do to a function; each was wrong once.

use crate::support::{Counter, ServiceError, ready};
use resilient::testing::TurnedClock;
use resilient::{Rejected, Verdict, resilient};

#[test]
fn a_handler_may_look_at_a_parameter_without_retries_too() {
    #[resilient(breaker = "handlers look", map_err = |rejected| format!("{name}: {rejected}"))]
    async fn refused(name: String) -> Result<usize, String> {
        Ok(name.len())
    }
    #[resilient(breaker = "handlers judge", classify = |_| if *seen > 0 { Verdict::Success } else { Verdict::Permanent })]
    fn judged(seen: &mut u8) -> Result<u8, Rejected> {
        *seen += 1;
        Ok(*seen)
    }
    resilient::breaker("handlers look").force_open();
    assert!(ready(refused("who".to_owned())).unwrap_err().starts_with("who: "));
    assert_eq!(judged(&mut 0), Ok(1));
}

#[test]
fn a_handler_may_look_at_what_each_attempt_consumes() {
    #[resilient(retries = 2, base_delay = "1ms", clone(order), retry_if = |_| order.len() > 1)]
    fn submit(order: Vec<u8>, attempts: &Counter) -> Result<Box<[u8]>, ServiceError> {
        let order = order.into_boxed_slice();
        if attempts.count() < 3 { Err(ServiceError::NotFound) } else { Ok(order) }
    }
    let _clock = TurnedClock::start();
    assert_eq!(submit(vec![1, 2], &Counter::default()), Ok(Box::from([1, 2])));
}

#[test]
fn an_upper_case_parameter_is_a_parameter() {
    #[allow(non_snake_case, reason = "it is what is tried")]
    #[resilient(retries = 2, base_delay = "1ms")]
    fn call(mut N: Vec<u32>, attempts: &Counter) -> Result<usize, ServiceError> {
        N.push(1);
        if attempts.count() < 3 { Err(ServiceError::Reset) } else { Ok(N.len()) }
    }
    let _clock = TurnedClock::start();
    assert_eq!(call(vec![], &Counter::default()), Ok(1));
}

#[test]
fn an_ignored_failure_that_is_not_send_does_not_keep_the_future_from_being_sent() {
    #[derive(Debug)]
    struct Local(#[expect(dead_code, reason = "only its type matters")] std::rc::Rc<u8>);

    #[resilient(fallback = |_| Ok(std::future::ready(7).await))]
    async fn call() -> Result<u8, Local> {
        Err(Local(std::rc::Rc::new(7)))
    }
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    assert_eq!(ready(is_send(call())).unwrap(), 7);
}

#[test]
fn a_blanket_trait_of_the_users_is_not_called() {
    #[expect(dead_code, reason = "the point is that nobody calls it")]
    trait Nosy {
        fn kind(&self) {}
        fn judge_error(&self) {}
        fn judge_value(&self) {}
        fn parts(&self) {}
        fn split(&self) {}
    }
    impl<T> Nosy for T {}

    #[resilient(breaker = "nosy trait", fallback = |_failure| 1)]
    fn plain() -> u32 {
        2
    }
    #[resilient(retries = 1)]
    fn fallible() -> Result<u32, ServiceError> {
        Ok(2)
    }
    assert_eq!((plain(), fallible()), (2, Ok(2)));
    resilient::breaker("nosy trait").force_open();
    assert_eq!(plain(), 1);
}
