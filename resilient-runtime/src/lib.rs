//! The runtime of `resilient-fn`: retries, circuit breakers, token buckets, bulkheads,
//! time limits. Depend on `resilient-fn`, which has the attribute as well; everything here is re-exported there.
//!
//! A call flows in one direction: an attribute's `Site`, or a [`Policy`], becomes a plan; a call is an engine on that plan that
//! decides and never waits; `blocking` and `polling` wait and run the body.

mod attempts;
mod backoff;
mod blocking;
mod breaker;
mod bucket;
mod budget;
mod bulkhead;
mod call;
mod circuit_breaker;
mod classify;
mod clock;
mod completion;
mod configure;
mod events;
mod judging;
mod keyed;
mod latest;
mod outcome;
mod plan;
mod policy;
#[cfg(feature = "tokio")]
mod polling;
mod rate;
mod registry;
mod rejected;
mod running;
mod site;
mod sync;
#[cfg(feature = "testing")]
pub mod testing;
mod verdict;

pub use backoff::{Backoff, Jitter};
pub use breaker::{Breaker, State};
pub use bucket::{Bucket, TryAcquireError};
pub use budget::RetryBudget;
pub use bulkhead::{Bulkhead, Concurrency};
pub use circuit_breaker::CircuitBreaker;
#[cfg(feature = "reqwest")]
pub use classify::CheckStatus;
#[cfg(feature = "http")]
pub use classify::{StatusError, retry_after};
pub use configure::{ConfigError, Configuration, breaker, bucket, bulkhead, configure, keyed_breakers};
pub use keyed::{KeyedBreaker, KeyedBreakers};
pub use outcome::Failure;
pub use policy::{Policy, PolicyBuilder};
pub use rate::Rate;
pub use rejected::{Refusal, Rejected};
pub use verdict::{Classify, Verdict};

/// What the macros' output names. No part of the public interface: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use crate::attempts::{Fresh, Spare, retry_after};
    pub use crate::call::{Call, Delay, is_final};
    #[cfg(rust_analyzer)]
    pub use crate::completion::keys;
    pub use crate::judging::{Judged, Probe, classify, retry_if};
    pub use crate::keyed::Keyed;
    pub use crate::outcome::{Kind, ignored, parts, refused, refused_with, split};
    pub use crate::plan::Plan;
    pub use crate::rate::Setting;
    pub use crate::site::Site;
    pub use crate::{__ide, Backoff, CircuitBreaker, Classify, Failure, Jitter, Rate, Rejected, Verdict};
    pub use std::clone::Clone;
    pub use std::convert::identity;
    pub use std::ops::ControlFlow;
    pub use std::option::Option::{self, None, Some};
    pub use std::result::Result::{self, Err, Ok};
    pub use std::time::Duration;
    pub use std::{concat, file, line, module_path};

    /// The trait that makes a `str` of a `&str`.
    pub mod peeling {
        pub use crate::keyed::Peel;
    }

    /// The traits that autoref chooses between.
    pub mod judging {
        pub use crate::judging::{
            JudgeAnyValue, JudgeAnything, JudgeClassified, JudgeClassifiedError, JudgeClassifiedText, JudgeClassifiedValue,
            JudgeError, JudgeReport, JudgeText,
        };
        pub use crate::outcome::{KindOfPlain, KindOfResult, ignored};
    }
}
