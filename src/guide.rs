//! How to use it well: six pages to read, with programs that run.
//!
//! - [`settings`]: how to find the numbers for timeouts, retries, rates, concurrency and breakers, and why the defaults are as they are.
//! - [`storms`]: how retries keep a service down, what a budget does about it, and a picture of both.
//! - [`idempotency`]: what a timeout leaves open, and how a write is repeated safely.
//! - [`failures`]: what counts as a failure, for the retry and for the breaker.
//! - [`testing`]: tests of your annotated functions that wait for nothing and depend on no luck.
//! - [`moving`]: from backon, failsafe, tower and resilience4j, option by option.
//!
//! Each page stands alone. Who reads only one should read [`failures`]: everything else acts on what it decides.

#[doc = include_str!("../docs/guide/settings.md")]
pub mod settings {}

#[doc = include_str!("../docs/guide/storms.md")]
#[doc = ""]
#[doc = include_str!("../docs/storm.svg")]
#[doc = ""]
#[doc = include_str!("../docs/storm.md")]
#[doc = ""]
#[doc = include_str!("../docs/guide/budgets.md")]
pub mod storms {}

#[doc = include_str!("../docs/guide/idempotency.md")]
pub mod idempotency {}

#[doc = include_str!("../docs/guide/failures.md")]
pub mod failures {}

#[doc = include_str!("../docs/guide/testing.md")]
pub mod testing {}

#[doc = include_str!("../docs/guide/moving.md")]
pub mod moving {}
