//! A [`Policy`](crate::Policy) around a [`tower`](https://docs.rs/tower) service: a layer for clients and servers alike.
//!
//! ```
//! # use resilient_runtime as resilient;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! use resilient::tower::PolicyLayer;
//! use resilient::{Policy, Verdict};
//! use std::io;
//! use std::time::Duration;
//! use tower::{ServiceBuilder, ServiceExt as _, service_fn};
//!
//! let policy = Policy::builder().name("rates").retries(3).timeout(Duration::from_secs(2)).breaker("rates").build()?;
//! let rates = ServiceBuilder::new()
//!     .layer(PolicyLayer::new(policy).classify(|outcome: &io::Result<f64>| match outcome {
//!         Ok(_) => Verdict::Success,
//!         Err(error) => resilient::Classify::classify(error),
//!     }))
//!     .service(service_fn(|currency: &'static str| async move {
//!         if currency == "EUR" { Ok(1.08) } else { Err(io::Error::from(io::ErrorKind::NotFound)) }
//!     }));
//! assert_eq!(rates.oneshot("EUR").await?, 1.08);
//! # Ok(())
//! # }
//! ```
//!
//! # What it does
//!
//! Each request is a call, in [the order of the attribute](crate::Policy): its attempts ask the breaker, the bucket and the bulkhead
//! that the policy names, and share them with every function and layer that names them. Whatever is inside the service, annotated
//! functions included, is a call inside this one.
//!
//! - **Repeating** a request needs another one like it. Requests that are `Clone` are cloned; for others say how with
//!   [`clone_request`](PolicyLayer::clone_request), or that each runs [`once`](PolicyLayer::once). A policy without retries clones
//!   nothing.
//! - **What an outcome means** is said by its types: with the feature `http` a response by its status and `Retry-After`. For other types
//!   say it with [`classify`](PolicyLayer::classify). A gRPC response has the status 200 whatever became of it: its own status is among
//!   the headers or trailers.
//!   The wait that a response asks for pauses the policy's bucket, as an error's would, on a server's side too: there say
//!   `classify(|_: &Result<Response, Infallible>| Verdict::Success)` if the policy shall only count requests.
//! - **A refusal** is a [`Rejected`] in a [`BoxError`], as for tower's own `Timeout` and `LoadShed`: services seldom have an
//!   error type of yours, and often one that nothing can be put into. With [`refuse_with`](PolicyLayer::refuse_with) the service keeps its
//!   error type, and a refusal becomes such an error, or a response.
//!
//! # Readiness
//!
//! The layer is ready when the service inside is. The first attempt has the very service that was found ready, and a clone takes its
//! place; before each further attempt the service is asked again, within that attempt's `timeout`. How long it takes to be ready at
//! first is no part of the call: no `timeout` and no `deadline` of the policy bounds it.
//!
//! A dropped future ends its call: nothing more is sent, and what it held is given back. Each call allocates once, for its future.
//!
//! If the compiler says no more than that the service "doesn't satisfy `Service`", hand it to a function that takes `impl Service<Request>`:
//! then it says why.

mod future;
mod layer;
mod local;
mod refusals;
mod requests;
mod service;
mod verdicts;

pub use future::{LocalResponseFuture, ResponseFuture};
pub use layer::PolicyLayer;
pub use local::Local;
pub use refusals::{Boxed, Refuse};
pub use requests::{CloneRequest, Cloned, Once};
pub use service::PolicyService;
pub use verdicts::{ByType, ClassifyOutcome};

#[cfg(doc)]
use crate::Rejected;

/// Any error, as tower's own services have it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
