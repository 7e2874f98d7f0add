//! How calls behave, topic by topic.

#![allow(
    clippy::needless_pass_by_value,
    clippy::ptr_arg,
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    clippy::type_complexity,
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "functions under test have the shapes that users write"
)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod arguments;
#[cfg(all(feature = "axum", feature = "tower"))]
mod axum;
mod breaker;
mod bulkhead;
mod cancellation;
mod classification;
mod completion;
mod context;
mod errors;
mod events;
mod expansion;
mod fallback;
mod golden;
#[cfg(feature = "anyhow")]
mod http;
mod keyed;
mod keyed_buckets;
mod last_known;
mod limits;
mod museum;
mod nesting;
mod policy;
mod rate;
mod readme;
mod regressions;
mod retry;
mod short_way;
mod sizes;
mod support;
mod testing;
#[cfg(all(feature = "tower", feature = "reqwest"))]
mod tower;
mod values;
mod waiting;
mod windows;
