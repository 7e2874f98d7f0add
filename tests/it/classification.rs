//! `#[derive(Classify)]`, and what is found in errors that say nothing.

use crate::support::ServiceError;
use resilient::{Classify, Rejected, Verdict};
use std::io;
use std::time::Duration;

#[derive(Classify)]
#[expect(dead_code, reason = "only its derive is looked at")]
enum Everything {
    Unmarked,
    #[transient]
    Transient,
    #[transient(retry_after = 1)]
    Numbered(u8, Duration),
    #[throttled]
    Throttled,
    #[throttled(retry_after = wait)]
    Hinted {
        wait: Option<Duration>,
    },
    #[permanent]
    Permanent(String),
    #[ignored]
    Ignored,
    #[classify(transparent)]
    Io(io::Error),
    #[classify(transparent)]
    Boxed(Box<dyn std::error::Error + Send + Sync>),
    #[classify(transparent)]
    Named {
        inner: ServiceError,
    },
    Refused(Rejected),
}

#[derive(Classify)]
#[permanent]
struct Declined;

#[derive(Classify)]
#[classify(default = permanent)]
enum Mostly<T> {
    Unmarked(T),
    #[transient]
    Lost,
}

#[test]
fn every_marker_has_its_verdict() {
    let second = Duration::from_secs(1);
    let cases = [
        (Everything::Unmarked, Verdict::TRANSIENT),
        (Everything::Transient, Verdict::TRANSIENT),
        (Everything::Numbered(0, second), Verdict::Transient { retry_after: Some(second) }),
        (Everything::Throttled, Verdict::Throttled { retry_after: None }),
        (Everything::Hinted { wait: Some(second) }, Verdict::Throttled { retry_after: Some(second) }),
        (Everything::Hinted { wait: None }, Verdict::Throttled { retry_after: None }),
        (Everything::Permanent(String::new()), Verdict::Permanent),
        (Everything::Ignored, Verdict::Ignored),
        (Everything::Io(io::ErrorKind::NotFound.into()), Verdict::Permanent),
        (Everything::Io(io::ErrorKind::ConnectionReset.into()), Verdict::TRANSIENT),
        (Everything::Boxed(Box::new(io::Error::from(io::ErrorKind::NotFound))), Verdict::Permanent),
        (Everything::Named { inner: ServiceError::BadQuestion }, Verdict::Ignored),
    ];
    for (index, (error, verdict)) in cases.into_iter().enumerate() {
        assert_eq!(error.classify(), verdict, "case {index}");
    }
    assert_eq!(Declined.classify(), Verdict::Permanent);
    assert_eq!(Mostly::Unmarked(1).classify(), Verdict::Permanent);
    assert_eq!(Mostly::<u8>::Lost.classify(), Verdict::TRANSIENT);
}

#[test]
fn a_refusal_inside_an_enum_stays_one() {
    #[resilient::resilient(breaker = "classified refusal")]
    fn refused() -> Result<(), Rejected> {
        Ok(())
    }
    resilient::breaker("classified refusal").force_open();
    assert_eq!(Everything::Refused(refused().unwrap_err()).classify(), Verdict::Ignored);
}

/// What a function may return that has no `Err`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Light {
    Green,
    Broken,
    Unknown,
}

impl Classify for Light {
    fn classify(&self) -> Verdict {
        if *self == Self::Green { Verdict::Success } else { Verdict::TRANSIENT }
    }
}

#[test]
fn a_value_that_is_no_result_is_judged_by_its_own_type() {
    #[resilient::resilient(breaker(name = "judged light", failure_threshold = 2), fallback = |_| Light::Unknown)]
    fn light(seen: Light) -> Light {
        seen
    }
    let seen = [Light::Broken, Light::Green, Light::Broken, Light::Broken, Light::Green].map(light);
    assert_eq!(seen, [Light::Broken, Light::Green, Light::Broken, Light::Broken, Light::Unknown]);
}
