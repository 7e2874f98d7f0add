use crate::support::{Counter, ServiceError, ready};
use resilient::testing::TurnedClock;
use resilient::{Failure, Rejected, Verdict, resilient};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

fn from_cache(failure: Failure<ServiceError>) -> Result<u32, ServiceError> {
    match failure {
        Failure::Error(ServiceError::NotFound) => Err(ServiceError::NotFound),
        Failure::Error(_) => Ok(1),
        Failure::Rejected(_) => Ok(2),
    }
}

#[test]
fn it_is_asked_once_at_the_end_with_what_went_wrong() {
    #[resilient(retries = 2, base_delay = "1ms", fallback = from_cache, breaker(name = "fallback", failure_threshold = 3))]
    fn call(attempts: &Counter, outcome: fn() -> Result<u32, ServiceError>) -> Result<u32, ServiceError> {
        attempts.count();
        outcome()
    }
    let _clock = TurnedClock::start();
    let attempts = Counter::default();
    assert_eq!(call(&attempts, || Ok(7)), Ok(7));
    assert_eq!(call(&attempts, || Err(ServiceError::NotFound)), Err(ServiceError::NotFound));
    assert_eq!(call(&attempts, || Err(ServiceError::Reset)), Ok(1));
    assert_eq!(attempts.get(), 5);
    assert_eq!(call(&attempts, || Ok(7)), Ok(2), "the circuit is open");
    assert_eq!(attempts.get(), 5);
}

#[test]
fn a_closure_sees_parameters_and_may_move_them_and_use_question_mark_and_await() {
    struct Reply(String);

    #[resilient(retries = 1, base_delay = "1ms", fallback = |failure| {
        let text = format!("{failure:?} for {question}");
        let answer = async { Ok::<_, ServiceError>(text) }.await?;
        Ok(Reply(answer + &question.into_boxed_str()))
    })]
    async fn ask(question: String) -> Result<Reply, ServiceError> {
        assert!(!question.is_empty());
        Err(ServiceError::Reset)
    }
    let _clock = TurnedClock::start();
    assert_eq!(ready(ask("q".to_owned())).unwrap().0, "Error(Reset) for qq");
}

#[test]
fn a_function_that_returns_no_result_may_be_refused_with_one() {
    #[resilient(rate = "1/s", max_wait = "0s", fallback = |_| 0)]
    fn number() -> u32 {
        7
    }
    #[resilient(breaker = "plain fallback", fallback = |failure| match failure {
        Failure::Rejected(Rejected::CircuitOpen(_)) => None,
        _ => unreachable!(),
    })]
    fn maybe() -> Option<u32> {
        Some(7)
    }
    let _clock = TurnedClock::start();
    assert_eq!((number(), number()), (7, 0));
    assert_eq!(maybe(), Some(7));
    resilient::breaker("plain fallback").force_open();
    assert_eq!(maybe(), None);
}

#[tokio::test(start_paused = true)]
async fn an_error_type_that_cannot_hold_a_refusal_is_no_obstacle() {
    #[resilient(retries = 1, base_delay = "1ms", timeout = "10ms", fallback = |failure| {
        assert!(matches!(failure, Failure::Rejected(Rejected::Timeout(_))));
        Ok(attempts.get())
    })]
    async fn hangs(attempts: &Counter) -> Result<u32, String> {
        attempts.count();
        std::future::pending().await
    }
    assert_eq!(hangs(&Counter::default()).await, Ok(2));
}

#[test]
fn an_argument_that_body_and_fallback_both_consume_is_cloned_for_each_attempt() {
    #[resilient(retries = 2, base_delay = "1ms", clone(order), fallback = |_| Ok(order))]
    fn charge(order: Vec<u8>, seen: &std::cell::RefCell<Vec<Vec<u8>>>) -> Result<Vec<u8>, ServiceError> {
        seen.borrow_mut().push(order);
        Err(ServiceError::Reset)
    }
    let _clock = TurnedClock::start();
    let seen = std::cell::RefCell::default();
    assert_eq!(charge(vec![1, 2], &seen), Ok(vec![1, 2]));
    assert_eq!(seen.into_inner(), [[1, 2], [1, 2], [1, 2]]);
}

#[test]
fn alone_it_is_a_policy() {
    #[resilient(fallback = |_| Ok(9))]
    fn call(order: String) -> Result<usize, ServiceError> {
        drop(order);
        Err(ServiceError::Reset)
    }
    assert_eq!(call("x".to_owned()), Ok(9));
}

#[tokio::test(start_paused = true)]
async fn a_timed_out_attempt_is_tried_again_before_it_is_asked() {
    #[resilient(retries = 2, base_delay = "1ms", timeout = "10ms", fallback = |failure| match failure {
        Failure::Rejected(rejected @ Rejected::Timeout(_)) => Ok(rejected.attempts()),
        other => Err(other.into_error()),
    })]
    async fn call(attempts: &AtomicU32, hangs: u32) -> Result<u32, ServiceError> {
        if attempts.fetch_add(1, Ordering::Relaxed) < hangs {
            tokio::time::sleep(Duration::from_secs(3_600)).await;
        }
        Ok(7)
    }
    assert_eq!(call(&AtomicU32::new(0), 2).await, Ok(7), "the third attempt answers");
    assert_eq!(call(&AtomicU32::new(0), 9).await, Ok(3), "all three have timed out");
}

#[test]
fn an_outcome_without_an_error_is_no_failure_even_where_it_is_to_be_tried_again() {
    fn enough(number: &u32) -> Verdict {
        if *number > 9 { Verdict::Success } else { Verdict::TRANSIENT }
    }

    #[resilient(retries = 1, base_delay = "1ms", classify = enough, rate = "1000/s", max_wait = "0s", burst = 9, fallback = |_| 0)]
    fn plain(attempts: &mut u32) -> u32 {
        *attempts += 1;
        *attempts
    }

    #[resilient(retries = 1, base_delay = "1ms", classify = |outcome: &Result<u32, ServiceError>| enough(outcome.as_ref().unwrap()),
        rate = "1000/s", max_wait = "0s", burst = 9, fallback = |_| Ok(0))]
    fn fallible(attempts: &mut u32) -> Result<u32, ServiceError> {
        *attempts += 1;
        Ok(*attempts)
    }
    let _clock = TurnedClock::start();
    assert_eq!((plain(&mut 0), plain(&mut 9)), (2, 10));
    assert_eq!((fallible(&mut 0), fallible(&mut 9)), (Ok(2), Ok(10)));
}
