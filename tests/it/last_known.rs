//! `fallback = last_known("10m")`.

use crate::support::{ServiceError, millis, ready};
use resilient::testing::TurnedClock;
use resilient::{Rejected, Verdict, resilient};
use std::time::Duration;

type Answer = Result<u32, ServiceError>;

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_failure_becomes_the_last_success_up_to_its_age_and_then_stays_what_it_is() {
    #[resilient(fallback = last_known("10m"))]
    fn price(answer: Answer) -> Answer {
        answer
    }
    let clock = TurnedClock::start();
    assert_eq!(price(Err(ServiceError::Reset)), Err(ServiceError::Reset), "there is none yet");
    assert_eq!(price(Ok(1)), Ok(1));
    assert_eq!(price(Ok(2)), Ok(2));
    assert_eq!(price(Err(ServiceError::NotFound)), Ok(2));
    clock.advance(MINUTE * 10);
    assert_eq!(price(Err(ServiceError::Reset)), Ok(2));
    clock.advance(Duration::from_nanos(1));
    assert_eq!(price(Err(ServiceError::Reset)), Err(ServiceError::Reset), "it is too old");
    assert_eq!(price(Ok(3)), Ok(3));
    assert_eq!(price(Err(ServiceError::Reset)), Ok(3));
}

#[test]
fn it_comes_after_the_last_attempt_and_instead_of_a_refusal() {
    #[resilient(retries = 1, base_delay = "1ms", fallback = last_known("10m"), breaker(name = "last known", failure_threshold = 4))]
    fn price(attempts: &mut Vec<Answer>) -> Answer {
        attempts.remove(0)
    }
    let clock = TurnedClock::start();
    let lost = || vec![Err(ServiceError::Reset), Err(ServiceError::Reset), Ok(9)];
    resilient::breaker("last known").force_open();
    assert!(matches!(price(&mut lost()), Err(ServiceError::Rejected(Rejected::CircuitOpen(_)))), "there is none yet");
    resilient::breaker("last known").reset();
    assert_eq!(price(&mut vec![Err(ServiceError::Reset), Ok(7)]), Ok(7));
    let mut attempts = lost();
    assert_eq!((price(&mut attempts), attempts.len()), (Ok(7), 1));
    assert_eq!(price(&mut lost()), Ok(7));
    assert_eq!(resilient::breaker("last known").state(), resilient::State::Open);
    attempts = lost();
    assert_eq!((price(&mut attempts), attempts.len()), (Ok(7), 3), "the circuit is open");
    clock.advance(MINUTE * 11);
    resilient::breaker("last known").force_open();
    assert!(matches!(price(&mut lost()), Err(ServiceError::Rejected(Rejected::CircuitOpen(_)))));
}

#[tokio::test(start_paused = true)]
async fn async_functions_keep_it_as_well_and_timeouts_are_failures_like_others() {
    #[resilient(retries = 1, timeout = "1s", deadline = "1h", fallback = last_known("10m"))]
    async fn price(takes: Duration) -> Answer {
        tokio::time::sleep(takes).await;
        Ok(5)
    }
    #[resilient(timeout = "1s", fallback = last_known("10m"), map_err = |rejected| rejected.to_string())]
    async fn once(takes: Duration) -> Result<u32, String> {
        tokio::time::sleep(takes).await;
        Ok(6)
    }
    assert!(matches!(price(MINUTE).await, Err(ServiceError::Rejected(Rejected::Timeout(_)))));
    assert!(once(MINUTE).await.unwrap_err().contains("timeout"));
    assert_eq!((price(millis(1)).await, once(millis(1)).await), (Ok(5), Ok(6)));
    assert_eq!((price(MINUTE).await, once(MINUTE).await), (Ok(5), Ok(6)));
    tokio::time::advance(MINUTE * 10).await;
    assert!(price(MINUTE).await.is_err() && once(MINUTE).await.is_err());
}

#[test]
fn methods_share_it_and_the_age_may_be_an_expression_of_theirs() {
    struct Rates {
        patience: Duration,
    }
    impl Rates {
        #[resilient(retries = 1, base_delay = "1ms", fallback = last_known(self.patience))]
        fn today(&self, answer: fn() -> Answer) -> Answer {
            answer()
        }

        #[resilient(fallback = last_known(patience))]
        async fn consumes(self, patience: Duration, answer: Vec<Answer>) -> Answer {
            let Rates { patience: _ } = self;
            answer.into_iter().next().unwrap()
        }
    }
    let clock = TurnedClock::start();
    let (patient, hasty) = (Rates { patience: MINUTE }, Rates { patience: Duration::ZERO });
    assert_eq!(patient.today(|| Ok(1)), Ok(1));
    clock.advance(millis(1));
    assert_eq!(patient.today(|| Err(ServiceError::NotFound)), Ok(1));
    assert!(hasty.today(|| Err(ServiceError::NotFound)).is_err());
    assert_eq!(ready(hasty.consumes(MINUTE, vec![Ok(4)])), Ok(4));
    assert_eq!(ready(patient.consumes(MINUTE, vec![Err(ServiceError::Reset)])), Ok(4));
}

#[test]
fn each_instantiation_of_a_generic_function_has_its_own() {
    #[resilient(fallback = last_known("10m"))]
    fn load<T: Clone + Send + 'static>(value: Option<T>) -> Result<T, ServiceError> {
        value.ok_or(ServiceError::Reset)
    }
    let _clock = TurnedClock::start();
    assert_eq!(load(Some(1_u8)), Ok(1));
    assert_eq!(load(Some("one".to_owned())), Ok("one".to_owned()));
    assert_eq!(load::<u8>(None), Ok(1));
    assert_eq!(load::<String>(None), Ok("one".to_owned()));
    assert_eq!(load::<u16>(None), Err(ServiceError::Reset));
}

#[test]
fn where_outcomes_are_judged_a_success_is_what_is_called_one() {
    fn done(answer: &Option<u32>) -> Verdict {
        if answer.is_some() { Verdict::Success } else { Verdict::TRANSIENT }
    }
    #[resilient(retries = 1, base_delay = "1ms", classify = done, fallback = last_known("10m"))]
    fn plain(answer: Option<u32>) -> Option<u32> {
        answer
    }
    #[resilient(retries = 1, base_delay = "1ms", fallback = last_known("10m"), classify = |answer| match answer {
        Ok(0) => Verdict::TRANSIENT,
        Ok(_) | Err(ServiceError::NotFound) => Verdict::Success,
        Err(_) => Verdict::Permanent,
    })]
    fn judged(answer: fn() -> Answer) -> Answer {
        answer()
    }
    let _clock = TurnedClock::start();
    assert_eq!((plain(None), plain(Some(7)), plain(None)), (None, Some(7), Some(7)));
    assert_eq!((judged(|| Ok(0)), judged(|| Ok(7)), judged(|| Ok(0))), (Ok(0), Ok(7), Ok(7)));
    assert_eq!(judged(|| Err(ServiceError::NotFound)), Err(ServiceError::NotFound), "this is an answer");
    assert_eq!(judged(|| Err(ServiceError::Reset)), Ok(7));
}

#[test]
fn a_function_of_the_users_by_that_name_has_another_path() {
    mod mine {
        use super::{Answer, ServiceError};
        use resilient::{Failure, resilient};

        fn last_known(failure: Failure<ServiceError>) -> Answer {
            if matches!(failure, Failure::Error(_)) { Ok(1) } else { Ok(2) }
        }

        #[resilient(fallback = self::last_known)]
        pub(super) fn price() -> Answer {
            Err(ServiceError::Reset)
        }
    }
    assert_eq!(mine::price(), Ok(1));
}

#[test]
fn many_threads_see_whole_values() {
    #[resilient(fallback = last_known("10m"))]
    fn price(answer: Option<u64>) -> Result<[u64; 64], ServiceError> {
        answer.map(|answer| [answer; 64]).ok_or(ServiceError::Reset)
    }
    assert!(price(Some(1)).is_ok());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                for turn in 0..2_000 {
                    let value = if (turn + thread) % 2 == 0 { price(Some(turn)) } else { price(None) };
                    let value = value.unwrap();
                    assert!(value.iter().all(|number| *number == value[0]));
                }
            });
        }
    });
}

#[test]
fn with_a_key_each_value_has_its_own() {
    #[resilient(fallback = last_known("10m"), key = tenant, max_keys = 2)]
    fn price(tenant: &str, answer: Answer) -> Answer {
        answer
    }
    #[resilient(breaker(name = "last known by key", failure_threshold = 1), fallback = last_known("10m"), key = tenant)]
    async fn guarded(tenant: String, answer: Answer) -> Answer {
        drop(tenant);
        answer
    }
    fn sendable<T: Send>(future: T) -> T {
        future
    }
    let _clock = TurnedClock::start();
    let lost = || Err(ServiceError::Reset);
    assert_eq!((price("a", Ok(1)), price("a", lost()), price("b", lost())), (Ok(1), Ok(1), lost()));
    assert_eq!((price("b", Ok(2)), price("b", lost()), price("a", lost())), (Ok(2), Ok(2), Ok(1)));
    assert_eq!(price("c", Ok(3)), Ok(3));
    assert_eq!((price("a", lost()), price("b", lost()), price("c", lost())), (lost(), Ok(2), Ok(3)), "the oldest made place");
    let guarded = |tenant: &str, answer| ready(sendable(guarded(tenant.to_owned(), answer)));
    assert_eq!((guarded("a", Ok(1)), guarded("b", Ok(2))), (Ok(1), Ok(2)));
    assert_eq!(guarded("a", lost()), Ok(1));
    resilient::keyed_breakers("last known by key").get("b").unwrap().force_open();
    assert_eq!((guarded("a", Ok(9)), guarded("b", Ok(9))), (Ok(1), Ok(2)), "both are open");
    assert!(matches!(guarded("c", lost()), Err(ServiceError::Reset)), "c has nothing yet");
}

#[test]
fn with_a_key_of_each_groups_own_the_other_is_for_the_value() {
    #[resilient(bucket(rate = 1_000, burst = 9, key = host), fallback = last_known("10m"), key = &tenant)]
    fn price(tenant: Vec<u8>, host: u8, answer: Answer) -> Answer {
        drop(tenant);
        answer
    }
    let _clock = TurnedClock::start();
    assert_eq!(price(vec![1], 1, Ok(1)), Ok(1));
    assert_eq!(price(vec![1], 2, Err(ServiceError::Reset)), Ok(1));
    assert_eq!(price(vec![2], 1, Err(ServiceError::Reset)), Err(ServiceError::Reset));
}
