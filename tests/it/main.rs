//! How calls behave, topic by topic.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod arguments;
mod breaker;
mod bulkhead;
mod cancellation;
mod classification;
mod errors;
mod events;
mod fallback;
mod golden;
#[cfg(feature = "anyhow")]
mod http;
mod limits;
mod policy;
mod rate;
mod retry;
mod sizes;
mod support;
