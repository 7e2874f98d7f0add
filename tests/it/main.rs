//! How calls behave, topic by topic.

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
