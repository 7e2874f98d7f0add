//! What a refusal looks like to the caller.

use crate::support::ServiceError;
use resilient::testing::TurnedClock;
use resilient::{Rejected, resilient};
use std::error::Error;
use std::fmt::{Display, Write};
use std::io;

macro_rules! refused {
    ($name:ident -> $type:ty) => {
        #[resilient(breaker = "always open")]
        fn $name() -> $type {
            unreachable!("the circuit is open")
        }
    };
}

refused!(by_anyhow -> anyhow::Result<()>);
refused!(by_box -> Result<(), Box<dyn Error>>);
refused!(by_sendable_box -> Result<(), Box<dyn Error + Send + Sync>>);
refused!(by_io -> io::Result<()>);
refused!(by_thiserror -> Result<(), ServiceError>);
refused!(by_itself -> Result<(), Rejected>);

#[resilient(breaker = "always open", map_err = |rejected| rejected.to_string())]
fn by_text() -> Result<(), String> {
    unreachable!("the circuit is open")
}

#[resilient(breaker = "always open")]
fn by_bound<E: From<Rejected>>() -> Result<(), E> {
    unreachable!("the circuit is open")
}

#[test]
fn it_becomes_whatever_the_function_returns() {
    resilient::breaker("always open").force_open();
    assert!(by_anyhow().unwrap_err().is::<Rejected>());
    assert!(by_box().unwrap_err().is::<Rejected>());
    assert!(by_sendable_box().unwrap_err().is::<Rejected>());
    assert!(by_io().unwrap_err().get_ref().unwrap().is::<Rejected>());
    assert!(matches!(by_thiserror().unwrap_err().rejected(), Rejected::CircuitOpen(_)));
    assert!(matches!(by_itself().unwrap_err(), Rejected::CircuitOpen(_)));
    assert!(matches!(by_bound::<Rejected>(), Err(Rejected::CircuitOpen(_))));
    assert_eq!(
        by_text().unwrap_err(),
        "`it::errors::by_text` was refused: circuit breaker `always open` is open; it admits nothing for now (not attempted)"
    );
}

#[test]
fn each_kind_is_one_helpful_sentence() {
    #[resilient(rate = "1/s", max_wait = "0s", name = "tick")]
    fn limited() -> Result<(), Rejected> {
        Ok(())
    }
    #[resilient(concurrency = 1, max_wait = "0s", name = "alone")]
    fn alone() -> Result<(), Rejected> {
        alone()
    }
    let _clock = TurnedClock::start();
    limited().unwrap();
    assert_eq!(
        limited().unwrap_err().to_string(),
        "`tick` was refused: its rate limit has no token in time; try again in 1.0s (not attempted)"
    );
    assert_eq!(alone().unwrap_err().to_string(), "`alone` was refused: its bulkhead is full (not attempted)");
}

#[test]
fn it_stays_recognisable_in_a_chain() {
    let error = anyhow::Error::new(ServiceError::from(by_itself().unwrap_err())).context("charging");
    let chain: Vec<_> = error.chain().map(ToString::to_string).collect();
    assert_eq!(chain[0], "charging");
    assert_eq!(chain.last().unwrap(), "circuit open");
}

#[test]
fn a_refusal_met_after_a_wait_says_how_many_attempts_were_made() {
    #[resilient(retries = 3, base_delay = "1s", jitter = none, bucket = "met after a wait", rate = "1/h", burst = 2)]
    fn call() -> Result<(), ServiceError> {
        Err(ServiceError::Reset)
    }
    let _clock = TurnedClock::start();
    let rejected = call().unwrap_err().rejected();
    assert!(matches!(rejected, Rejected::RateLimited(_)));
    assert_eq!(rejected.attempts(), 2);
}

/// Takes so many bytes and no more.
struct Room(usize);

impl Write for Room {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0 = self.0.checked_sub(text.len()).ok_or(std::fmt::Error)?;
        Ok(())
    }
}

#[test]
fn who_prints_one_where_there_is_no_room_is_told() {
    let told = |said: &dyn Display| {
        let whole = said.to_string().len();
        assert!((0..whole).all(|room| write!(Room(room), "{said}").is_err()), "{said}");
        assert_eq!(write!(Room(whole), "{said}"), Ok(()));
    };
    resilient::breaker("always open").force_open();
    told(&by_itself().unwrap_err());
    let catalog = resilient::catalog();
    told(catalog.functions.iter().find(|function| function.is_unclassified).unwrap());
}
