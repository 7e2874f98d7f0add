//! What public values say and hold, asked of them directly.

use crate::support::{ServiceError, millis};
use resilient::testing::TurnedClock;
use resilient::{Classify as _, Failure, Jitter, Policy, Rate, Rejected, TryAcquireError, Verdict, resilient};
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// A refusal of each kind, as calls return them.
fn refusals() -> Vec<Rejected> {
    let _clock = TurnedClock::start();
    let refused = |policy: &Policy| policy.run(|| Ok::<(), Rejected>(()));
    resilient::breaker("values: open").force_open();
    let open = Policy::builder().breaker("values: open").build().unwrap();
    let slow = Policy::builder().rate(1).max_wait(Duration::ZERO).build().unwrap();
    refused(&slow).unwrap();
    let full = Policy::builder().concurrency(1).max_wait(Duration::ZERO).build().unwrap();
    let inner = full.run(|| refused(&full));
    vec![refused(&open).unwrap_err(), refused(&slow).unwrap_err(), inner.unwrap_err()]
}

#[tokio::test(start_paused = true)]
async fn the_cause_of_a_refusal_is_its_kind_in_words() {
    let mut refusals = refusals();
    let hang = || std::future::pending::<Result<(), Rejected>>();
    refusals.push(Policy::builder().timeout(millis(5)).build().unwrap().run_async(hang).await.unwrap_err());
    refusals.push(Policy::builder().deadline(millis(5)).build().unwrap().run_async(hang).await.unwrap_err());
    let causes: Vec<_> = refusals.iter().map(|rejected| rejected.source().unwrap().to_string()).collect();
    assert_eq!(causes, ["circuit open", "rate limited", "bulkhead full", "attempt timed out", "deadline exceeded"]);
}

#[test]
fn a_failure_is_told_as_what_it_holds() {
    let rejected = refusals().swap_remove(0);
    let refused: Failure<io::Error> = Failure::Rejected(rejected);
    assert_eq!(refused.to_string(), rejected.to_string());
    assert_eq!(refused.source().unwrap().to_string(), "circuit open");
    assert!(refused.into_error().get_ref().unwrap().is::<Rejected>());
    let failed = Failure::Error(io::Error::other(ServiceError::Reset));
    assert_eq!(failed.to_string(), "reset");
    assert_eq!(failed.source().map(ToString::to_string), ServiceError::Reset.source().map(ToString::to_string));
    assert_eq!(failed.into_error().to_string(), "reset");
}

#[test]
fn a_token_that_is_not_there_says_when_or_that_it_never_is() {
    let not_yet = TryAcquireError::NotYet { retry_after: millis(1500) };
    assert_eq!(not_yet.to_string(), "no token yet; try again in 1.5s");
    let impossible = TryAcquireError::Impossible { asked: 7, burst: 3 };
    assert_eq!(impossible.to_string(), "7 tokens at once can never be had: ask for 1 to 3, the bucket's burst");
}

#[test]
fn a_rate_says_its_burst_and_keeps_it_beside_its_keys() {
    assert_eq!(Rate::per_minute(30).burst(5).max_keys(7).to_string(), "30 per 60s, burst 5");
    assert_eq!(Rate::per_second(200).to_string(), "200 per 1s, burst 2");
    assert_ne!(Rate::per_second(1), Rate::per_second(1).max_keys(7));
}

#[cfg(feature = "http")]
#[test]
fn a_status_says_how_long_the_server_asks_to_stay_away() {
    let status = |retry_after: Option<&'static str>| {
        let headers = retry_after.map(|wait| (http::header::RETRY_AFTER, http::HeaderValue::from_static(wait)));
        let headers = headers.into_iter().collect();
        resilient::StatusError::from_parts(http::StatusCode::SERVICE_UNAVAILABLE, &headers).unwrap().to_string()
    };
    assert_eq!(status(None), "HTTP status 503 Service Unavailable");
    assert_eq!(status(Some("7")), "HTTP status 503 Service Unavailable (retry after 7s)");
}

#[test]
fn what_is_behind_a_pointer_means_the_same() {
    let reference: &ServiceError = &ServiceError::NotFound;
    assert_eq!(<&ServiceError as resilient::Classify>::classify(&reference), Verdict::Permanent);
    assert_eq!(Box::new(ServiceError::NotFound).classify(), Verdict::Permanent);
    assert_eq!(Arc::new(ServiceError::BadQuestion).classify(), Verdict::Ignored);
    let missing: Box<dyn Error> = Box::new(io::Error::from(io::ErrorKind::NotFound));
    assert_eq!((*missing).classify(), Verdict::Permanent);
    let sendable: Box<dyn Error + Send> = Box::new(io::Error::from(io::ErrorKind::NotFound));
    assert_eq!((*sendable).classify(), Verdict::Permanent);
}

/// An error of somebody's that leads to another, and is none itself.
#[derive(Debug)]
struct Report(Box<dyn Error>);

impl AsRef<dyn Error + 'static> for Report {
    fn as_ref(&self) -> &(dyn Error + 'static) {
        &*self.0
    }
}

#[test]
fn a_refusal_is_found_in_a_report() {
    #[resilient(retries = 3, jitter = none)]
    fn call(attempts: &mut u32, error: fn() -> Box<dyn Error>) -> Result<(), Report> {
        *attempts += 1;
        Err(Report(error()))
    }
    let _clock = TurnedClock::start();
    let mut attempts = 0;
    call(&mut attempts, || Box::new(refusals().swap_remove(0))).unwrap_err();
    assert_eq!(attempts, 1, "a refusal is not retried");
    call(&mut attempts, || io::Error::from(io::ErrorKind::NotFound).into()).unwrap_err();
    assert_eq!(attempts, 5, "what it leads to is not known, and so transient");
}

#[test]
fn a_refused_policy_is_printed_by_main_as_a_person_reads_it() {
    let error = Policy::builder().rate(0).build().unwrap_err();
    assert_eq!(format!("{error:?}"), format!("the configuration is refused\n{error}"));
    let problem = error.problems().next().unwrap();
    assert_eq!(format!("{problem:?}"), problem.to_string());
}

#[test]
fn a_builder_is_heard_on_the_longest_waits() {
    let clock = TurnedClock::start();
    let build = || Policy::builder().retries(3).jitter(Jitter::None).base_delay(millis(10));
    let waits = |policy: &Policy, error: fn() -> ServiceError| {
        let before = clock.waits().len();
        policy.run(|| Err::<(), _>(error())).unwrap_err();
        clock.waits().split_off(before)
    };
    let capped = build().max_delay(millis(15)).build().unwrap();
    assert_eq!(waits(&capped, || ServiceError::Reset), [millis(10), millis(15), millis(15)]);
    let hinted = || ServiceError::Maintenance { wait: millis(500) };
    let impatient = build().max_retry_after(millis(400)).build().unwrap();
    assert!(waits(&impatient, hinted).is_empty());
    assert_eq!(waits(&build().build().unwrap(), hinted).len(), 3);
}

#[test]
fn without_a_budget_nothing_but_their_number_bounds_retries() {
    let _clock = TurnedClock::start();
    let attempts = |policy: &Policy| {
        let mut attempts = 0;
        policy
            .run(|| {
                attempts += 1;
                Err::<(), _>(ServiceError::Reset)
            })
            .unwrap_err();
        attempts
    };
    let build = || {
        Policy::builder().retries(1_000).base_delay(Duration::from_nanos(1)).jitter(Jitter::None).max_delay(Duration::from_nanos(1))
    };
    assert_eq!(attempts(&build().without_budget().build().unwrap()), 1_001);
    assert_eq!(attempts(&build().build().unwrap()), 101, "the pool of a hundred");
}

/// An outcome that is a success by its meaning, and is tried again all the same, earns what successes earn.
#[test]
fn a_success_that_was_to_be_tried_again_earns_when_no_attempt_is_left() {
    #[resilient(
        retries = 1,
        base_delay = "1ns",
        jitter = none,
        budget = "values: earned",
        classify = |_: &Result<(), ServiceError>| Verdict::Success,
        retry_if = |_| true
    )]
    fn call(attempts: &mut u32) -> Result<(), ServiceError> {
        *attempts += 1;
        Err(ServiceError::Reset)
    }
    let _clock = TurnedClock::start();
    let mut attempts = 0;
    // A hundred retries are in the pool; beyond them there are only those that are earned, one in five calls.
    for _ in 0..200 {
        call(&mut attempts).unwrap_err();
    }
    assert!((335..345).contains(&attempts), "{attempts}");
}

#[test]
fn small_numbers_are_keys_as_well() {
    #[resilient(rate = 1, max_wait = "0s", key = (shard, replica))]
    fn call(shard: u16, replica: u8) -> Result<(), Rejected> {
        Ok(())
    }
    let _clock = TurnedClock::start();
    for shard in 0..500 {
        call(shard, 1).unwrap();
        call(shard, 2).unwrap();
        call(shard, 1).unwrap_err();
    }
}

#[test]
fn a_keyed_breaker_is_shown_as_a_breaker() {
    #[resilient(breaker = "values: keyed", key = tenant)]
    fn call(tenant: &str) -> Result<(), ServiceError> {
        Err(ServiceError::Reset)
    }
    call("secret tenant").unwrap_err();
    let breakers = resilient::keyed_breakers("values: keyed");
    let shown = format!("{breakers:?} {:?}", breakers.get("secret tenant").unwrap());
    assert!(shown.contains("Family") && shown.contains("keys: 1") && shown.contains("Breaker {"), "{shown}");
    assert!(!shown.contains("secret"), "{shown}");
}

#[test]
fn the_catalogue_says_whose_errors_say_nothing() {
    #[resilient(retries = 1, base_delay = "1ns", name = "values: unclassified")]
    fn call() -> Result<(), String> {
        Err("what does it mean?".to_owned())
    }
    let words = "its errors do not say what they mean, and count as transient: derive `Classify`, or set `classify`";
    let said = || {
        let catalog = resilient::catalog().to_string();
        let own = catalog.split("values: unclassified").nth(1).unwrap().split("\n\n").next().unwrap().to_owned();
        own.contains(words)
    };
    assert!(!said());
    call().unwrap_err();
    assert!(said());
}
