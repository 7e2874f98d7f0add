//! Errors without a type are looked through along their causes; the first that is known decides.

use crate::rejected::{chain, refusal_in};
use crate::verdict::{Classify, Verdict};
use std::error::Error;

fn known(error: &(dyn Error + 'static)) -> Option<Verdict> {
    #[cfg(feature = "reqwest")]
    if let Some(error) = error.downcast_ref::<reqwest::Error>() {
        return Some(error.classify());
    }
    #[cfg(feature = "http")]
    if let Some(error) = error.downcast_ref::<super::StatusError>() {
        return Some(error.classify());
    }
    #[cfg(feature = "tonic")]
    if let Some(status) = error.downcast_ref::<tonic::Status>() {
        return Some(status.classify());
    }
    #[cfg(feature = "sqlx")]
    if let Some(error) = error.downcast_ref::<sqlx_core::Error>() {
        return Some(error.classify());
    }
    #[cfg(feature = "tokio-postgres")]
    if let Some(error) = error.downcast_ref::<tokio_postgres::Error>() {
        return Some(error.classify());
    }
    #[cfg(feature = "redis")]
    if let Some(error) = error.downcast_ref::<redis::RedisError>() {
        return Some(error.classify());
    }
    error.downcast_ref::<std::io::Error>().map(Classify::classify)
}

fn look_through(error: &(dyn Error + 'static)) -> Verdict {
    if let Some(refusal) = refusal_in(Some(error)) {
        return refusal.verdict();
    }
    chain(Some(error)).find_map(known).unwrap_or(Verdict::TRANSIENT)
}

fn is_refusal(error: &(dyn Error + 'static)) -> bool {
    refusal_in(Some(error)).is_some_and(|refusal| !refusal.verdict().is_retryable())
}

impl Classify for dyn Error {
    fn classify(&self) -> Verdict {
        look_through(self)
    }

    fn resilient_is_refusal(&self) -> bool {
        is_refusal(self)
    }
}

impl Classify for dyn Error + Send {
    fn classify(&self) -> Verdict {
        look_through(self)
    }

    fn resilient_is_refusal(&self) -> bool {
        is_refusal(self)
    }
}

impl Classify for dyn Error + Send + Sync {
    fn classify(&self) -> Verdict {
        look_through(self)
    }

    fn resilient_is_refusal(&self) -> bool {
        is_refusal(self)
    }
}

#[cfg(feature = "anyhow")]
impl Classify for anyhow::Error {
    fn classify(&self) -> Verdict {
        look_through(self.as_ref())
    }

    fn resilient_is_refusal(&self) -> bool {
        is_refusal(self.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rejected::{Kind, Refusal, Time};
    use std::fmt;
    use std::io::{self, ErrorKind};
    use std::sync::Arc;

    #[derive(Debug)]
    struct Wrapped(io::Error);

    impl fmt::Display for Wrapped {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("wrapped")
        }
    }

    impl Error for Wrapped {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn the_first_known_cause_decides() {
        let boxed: Box<dyn Error + Send + Sync> = Box::new(Wrapped(ErrorKind::NotFound.into()));
        assert_eq!(boxed.classify(), Verdict::Permanent);
        let boxed: Box<dyn Error> = "no cause at all".into();
        assert_eq!(boxed.classify(), Verdict::TRANSIENT);
    }

    fn wrapped(refused: Option<Kind>) -> Wrapped {
        let refusal = Refusal { function: "f", resource: None, attempts: 0, time: Time::NONE };
        Wrapped(refused.map_or(ErrorKind::NotFound.into(), |kind| io::Error::other(kind.rejected(refusal))))
    }

    #[test]
    fn what_a_policy_further_in_has_refused_is_a_refusal_however_it_is_held_and_nothing_else_is() {
        for (refused, is_refusal) in [(Some(Kind::CircuitOpen), true), (Some(Kind::Timeout), false), (None, false)] {
            let error: Box<dyn Error> = wrapped(refused).into();
            let sent: Box<dyn Error + Send> = Box::new(wrapped(refused));
            let shared: Arc<dyn Error + Send + Sync> = Arc::new(wrapped(refused));
            let held = [error.resilient_is_refusal(), sent.resilient_is_refusal(), shared.resilient_is_refusal()];
            let lent = [(&&*error).resilient_is_refusal(), (&&*shared).resilient_is_refusal()];
            assert_eq!((held, lent), ([is_refusal; 3], [is_refusal; 2]), "{refused:?}");
            #[cfg(feature = "anyhow")]
            assert_eq!(anyhow::Error::from(wrapped(refused)).resilient_is_refusal(), is_refusal, "{refused:?}");
        }
    }

    #[cfg(feature = "anyhow")]
    #[test]
    fn anyhow_contexts_do_not_hide_the_cause() {
        use anyhow::Context as _;
        let error = Err::<(), _>(io::Error::from(ErrorKind::PermissionDenied)).context("opening").context("loading");
        assert_eq!(error.err().map(|error| error.classify()), Some(Verdict::Permanent));
    }
}
