//! The runtime of `resilient-fn`: retries, circuit breakers, token buckets, bulkheads,
//! time limits. Depend on `resilient-fn`, which has the attribute as well; everything here is re-exported there.
//!
//! A call flows in one direction: an attribute's `Site`, or a [`Policy`], becomes a plan; a call is an engine on that plan that
//! decides and never waits; `blocking` and `polling` wait and run the body.

#[cfg(feature = "tokio")]
mod admitted;
mod attempts;
#[cfg(feature = "axum")]
mod axum;
mod backoff;
mod blocking;
mod breaker;
mod bucket;
mod budget;
mod bulkhead;
mod call;
pub mod catalog;
mod circuit_breaker;
mod classify;
mod clock;
mod completion;
mod configure;
mod context;
mod duration_text;
mod engine;
mod events;
mod idempotency_key;
#[cfg(test)]
#[cfg(any(interleaved = "loom", interleaved = "shuttle"))]
mod interleavings;
mod judging;
mod keyed;
mod last_known;
mod latest;
mod nesting;
mod outcome;
mod overrides;
mod plan;
mod policy;
#[cfg(feature = "tokio")]
mod polling;
mod pools;
mod random;
mod rate;
mod refused;
mod registry;
mod rejected;
mod script;
mod seat;
mod site;
mod switches;
mod sync;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "tower")]
pub mod tower;
mod verdict;
mod window;
#[cfg_attr(not(feature = "testing"), path = "no_wishes.rs")]
mod wishes;

pub use backoff::{Backoff, Jitter};
pub use breaker::{Breaker, Counts, State};
pub use bucket::{Bucket, TryAcquireError};
pub use budget::RetryBudget;
pub use bulkhead::{Bulkhead, Concurrency};
pub use catalog::{Catalog, catalog};
pub use circuit_breaker::CircuitBreaker;
#[cfg(feature = "reqwest")]
pub use classify::CheckStatus;
#[cfg(feature = "http")]
pub use classify::{StatusError, retry_after};
pub use configure::{ConfigError, Configuration, Problem, breaker, bucket, bulkhead, configure, keyed_breakers, reload};
pub use context::Context;
pub use idempotency_key::IdempotencyKey;
pub use keyed::{KeyedBreaker, KeyedBreakers};
pub use outcome::Failure;
pub use overrides::Overrides;
pub use policy::{Policy, PolicyBuilder};
pub use rate::{ParseRateError, Rate};
pub use rejected::{Refusal, Rejected};
pub use switches::enable_retries;
pub use verdict::{Classify, Verdict};
pub use window::Window;

/// What the macros' output names. No part of the public interface: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use crate::attempts::{Fresh, Spare, retry_after};
    pub use crate::call::{Call, EngineSlot, is_final, no_engine};
    pub use crate::catalog::Entry;
    #[cfg(rust_analyzer)]
    pub use crate::completion::keys;
    #[cfg(all(fuzzing, feature = "config"))]
    pub use crate::configure::fuzz::{fuzz_duration, fuzz_environment, fuzz_shown, fuzz_shown_rate, fuzz_toml};
    pub use crate::configure::known::settings;
    pub use crate::context::{Context, context, context_of, error_of};
    pub use crate::judging::{classify, retry_if, told};
    pub use crate::keyed::{Keyed, kept};
    pub use crate::last_known::{LastKnown, LastKnownByKey, known, known_instead};
    pub use crate::outcome::{Kind, ignored, parts, refused, refused_with, split};
    pub use crate::plan::{Declared, Plan};
    pub use crate::rate::Setting;
    pub use crate::script::{Scripted, Stage, Ticket, never_refused, played};
    pub use crate::site::Site;
    pub use crate::{__ide, Backoff, CircuitBreaker, Classify, Failure, Jitter, Rate, Rejected, Verdict, Window};
    pub use inventory::submit;
    pub use std::clone::Clone;
    pub use std::convert::identity;
    pub use std::ops::ControlFlow::{Break, Continue};
    pub use std::option::Option::{self, None, Some};
    pub use std::result::Result::{self, Err, Ok};
    pub use std::time::Duration;
    pub use std::{concat, file, line, module_path};

    /// The trait that makes a `str` of a `&str`.
    pub mod peeling {
        pub use crate::keyed::Peel;
    }

    /// The traits that autoref chooses between for a script.
    pub mod scripts {
        pub use crate::script::{PlayError, PlayNoError, PlayNoValue, PlayOk, PlayValue};
    }

    /// The traits that autoref chooses between.
    pub mod judging {
        pub use crate::judging::{AnyValues as _, JudgedBy as _};
        pub use crate::outcome::{KindOfPlain as _, KindOfResult as _};
    }
}
