//! One attribute that makes a function survive the network: retries, time limits, circuit breakers, rates, limits on concurrency.
//!
//! ```no_run
//! use resilient::{Classify, Rejected, resilient};
//! use std::io::{self, Read as _};
//! use std::net::TcpStream;
//!
//! #[resilient(retries = 3, deadline = "10s", breaker = "rates")]
//! fn rates(host: &str) -> Result<String, RatesError> {
//!     let mut text = String::new();
//!     TcpStream::connect((host, 7070))?.read_to_string(&mut text)?;
//!     if text.is_empty() { Err(RatesError::Closed) } else { Ok(text) }
//! }
//!
//! #[derive(Debug, thiserror::Error, Classify)]
//! enum RatesError {
//!     #[error("the market is closed")]
//!     #[permanent]
//!     Closed,
//!     #[error(transparent)]
//!     #[classify(transparent)]
//!     Io(#[from] io::Error),
//!     #[error(transparent)]
//!     Rejected(#[from] Rejected),
//! }
//! ```
//!
//! A lost connection is tried again after a random wait that grows; `Closed` is not. After five failures in a row the circuit
//! opens, and calls return at once, until probes, one at a time, have found the service well. The caller gets the last real error,
//! unchanged, or a [`Rejected`]. Async functions are written the same way, and may have a `timeout` for each attempt.
//!
//! # Where to look
//!
//! - [`guide`]: how to find the numbers, what retries do to a service that is down, how writes are repeated safely, what counts as a
//!   failure, how to test all this, and what other libraries' options are called here.
//! - [`resilient`](macro@resilient): the attribute, all its keys and their defaults.
//! - [`Classify`](macro@Classify): what the variants of your error mean. [`Verdict`] says what follows from that.
//! - [`Rejected`]: what a caller gets when a policy refuses. [`Failure`]: what a fallback gets.
//! - [`configure`]: settings of functions and of what they share, from code, files and the environment; changed while the program
//!   runs by [`Configuration::watch`] and [`reload`]. [`breaker`], [`bucket`] and [`bulkhead`] find what is shared at run time.
//! - [`catalog()`]: every annotated function of the program, the policy that it has now, and who says so.
//! - [`Context`]: what a body may know of its call, with an [`IdempotencyKey`] to send along.
//! - [`keyed_breakers`]: the circuit breakers that a name has for its keys, with `key = tenant`.
//! - [`Policy`]: the same without the attribute.
//! - [`golden_tables`]: what one call does under each combination of policies.
//!
//! # The order
//!
//! ```text
//! fallback( deadline( retry( breaker( rate( bulkhead( timeout( body )))))))
//! ```
//!
//! There is no other. Every attempt asks the breaker and is counted by it; an open circuit uses up no rate; the timeout measures
//! the body alone. Retries draw on a budget, so that an outage is not met with `retries` times the load.
//!
//! A call inside another ends with that one's deadline, and its retries are paid from that one's budget as well.
//!
//! # Features
//!
//! - `tokio` (default): async functions.
//! - `config` (default): configuration from files, and the catalogue as `serde::Serialize`.
//! - `watch` (default): [`Configuration::watch`].
//! - `testing`: `resilient::testing`, for `dev-dependencies`.
//! - `http`, `reqwest`, `reqwest-blocking`, `anyhow`: verdicts on the types of those crates, and `Retry-After`.
//! - `tonic`, `sqlx`, `tokio-postgres`, `redis`: [verdicts] on their errors; a [`Rejected`] becomes a `tonic::Status`.
//! - `tower`: a [`Policy`] around any tower service. `axum`: a [`Rejected`] as a response.
//!
//! # What is told
//!
//! Events of `tracing`, target `resilient`: `retry` (debug), `exhausted` and `rejected` (warn), `last_known` (warn),
//! `circuit_opened` (error), `circuit_half_open` (warn), `circuit_closed` (info), `would_reject` (info), `circuit_forced_open`,
//! `circuit_disabled` and `circuit_shadowed` (warn), `circuit_reset` (info), `unclassified` (info), `keys_overflow` and
//! `blocking_wait` (warn), `conflicting_settings` (error), `configuration_warning` (warn), `configuration_reloaded` (info),
//! `configuration_refused` (error).

/// Makes a function survive the network.
///
/// The signature stays as it is. What belongs to one call may be any expression, evaluated in the function; what is shared between
/// calls must be a constant.
///
/// ```
/// use resilient::{Failure, Rejected, resilient};
/// use std::io;
/// use std::time::Duration;
///
/// struct Rates {
///     patience: Duration,
/// }
///
/// impl Rates {
///     #[resilient(
///         retries = 3,
///         deadline = self.patience,
///         breaker(name = "rates", failure_threshold = 3),
///         rate = "30/min",
///         burst = 5,
///         fallback = |failure| match failure {
///             Failure::Rejected(Rejected::CircuitOpen(_)) => Ok(yesterday),
///             failure => Err(io::Error::other(failure)),
///         }
///     )]
///     fn today(&self, yesterday: f64) -> io::Result<f64> {
///         Ok(1.08)
///     }
/// }
///
/// let rates = Rates { patience: Duration::from_secs(10) };
/// assert_eq!(rates.today(1.07)?, 1.08);
/// resilient::breaker("rates").force_open();
/// assert_eq!(rates.today(1.07)?, 1.07);
/// # Ok::<(), io::Error>(())
/// ```
///
/// # Per tenant, per host
///
/// `key` gives each value of an expression its own breaker, bucket and bulkhead, in bounded memory.
///
/// ```
/// use resilient::{Rejected, resilient};
///
/// #[resilient(breaker = "partner", bucket(name = "partner", rate = "10/s", key = tenant), max_wait = "0s")]
/// fn order(tenant: &str) -> Result<(), Rejected> {
///     Ok(())
/// }
/// assert!(order("a").is_ok() && order("a").is_err() && order("b").is_ok());
/// ```
///
/// # Arguments
///
/// What the body borrows costs nothing and need not be `Clone`. A parameter that it consumes is named in `clone(…)`: each attempt
/// gets a clone, the last one the value itself. A `mut` parameter starts afresh in every attempt, or keeps its changes with
/// `reuse(…)`. Without `retries` the body runs at most once and may do with its arguments what it likes.
///
/// ```
/// use resilient::resilient;
///
/// #[resilient(retries = 3, clone(order))]
/// fn submit(address: String, order: Vec<u8>) -> std::io::Result<Box<[u8]>> {
///     assert!(address.starts_with("https"));
///     Ok(order.into_boxed_slice())
/// }
/// # assert_eq!(*submit("https://orders".to_owned(), vec![1])?, [1]);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # The call, seen from inside
///
/// `context = cx` binds a [`&Context`](Context) named `cx` in the body: the number of the attempt, the time left, a key that is the
/// same in every attempt, and the error of the attempt before. Handlers and the fallback do not see it.
///
/// ```
/// use resilient::resilient;
///
/// #[resilient(retries = 3, context = cx)]
/// fn header() -> std::io::Result<String> {
///     Ok(format!("Idempotency-Key: {}", cx.idempotency_key()))
/// }
/// assert_ne!(header()?, header()?);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # The last known value
///
/// `fallback = last_known("10m")` keeps a clone of each success and returns it where a call fails and it is at most that old; an event
/// `last_known` says so. There is one for the function, whatever its arguments are, and in a generic function one for each type, which
/// must be `Clone + Send + 'static`. Where there is none the failure goes on, so refusals need a place in the error type as without it.
///
/// ```
/// use resilient::resilient;
/// use std::io;
///
/// #[resilient(retries = 3, base_delay = "1ms", fallback = last_known("10m"))]
/// fn rate(service: &mut Vec<f64>) -> io::Result<f64> {
///     service.pop().ok_or_else(|| io::ErrorKind::ConnectionReset.into())
/// }
///
/// let mut service = vec![1.08];
/// assert_eq!(rate(&mut service)?, 1.08);
/// assert_eq!(rate(&mut service)?, 1.08); // all four attempts failed
/// # Ok::<(), io::Error>(())
/// ```
///
/// A success is an `Ok`, unless `classify` or its type's `Classify` call it something else. Where outcomes are judged so, a function may
/// return plain values as well. A function of yours by the name of `last_known` is `self::last_known`.
///
/// # Errors
///
/// The caller gets the last attempt's own error. Where a policy can refuse, which is with `timeout`, `deadline`, `breaker`, `rate`,
/// `bucket`, `concurrency` and `bulkhead`, the error type must be `From<`[`Rejected`]`>`, or `map_err` or `fallback` stand in for
/// it. Whether an error is tried again is said by its [`Classify`](trait@Classify); a type that says nothing is transient.
///
/// A function that returns no `Result` may wait (`rate = 10, max_wait = none`), or be refused with a `fallback`.
///
/// # Keys
///
#[doc(inline)]
pub use resilient_macros::resilient;

/// Says what each variant of an error means: try again, slow down, give up, or not the service's fault.
///
/// ```
/// use resilient::{Classify, Rejected, Verdict};
/// use std::time::Duration;
///
/// #[derive(Classify)]
/// enum OrderError {
///     #[permanent]
///     NoSuchOrder,
///     #[throttled(retry_after = wait)]
///     SlowDown { wait: Option<Duration> },
///     #[transient(retry_after = 0)]
///     Maintenance(Duration),
///     #[ignored]
///     BadRequest,
///     #[classify(transparent)]
///     Io(std::io::Error),
///     Rejected(Rejected),
/// }
///
/// let hour = Duration::from_secs(3600);
/// assert_eq!(OrderError::NoSuchOrder.classify(), Verdict::Permanent);
/// assert_eq!(OrderError::Maintenance(hour).classify(), Verdict::Transient { retry_after: Some(hour) });
/// assert_eq!(OrderError::Io(std::io::ErrorKind::NotFound.into()).classify(), Verdict::Permanent);
/// ```
///
#[doc(inline)]
pub use resilient_macros::Classify;

#[doc(inline)]
pub use resilient_runtime::*;

#[doc(hidden)]
pub use resilient_runtime::__private;

#[cfg(doc)]
#[doc = include_str!("../docs/golden-tables.md")]
pub mod golden_tables {}

#[cfg(doc)]
#[doc = include_str!("../docs/verdicts.md")]
pub mod verdicts {}

// Its samples need these features; to be read it needs none.
#[cfg(all(doc, any(not(doctest), all(feature = "reqwest", feature = "testing", feature = "tokio", feature = "tower"))))]
pub mod guide;

/// Every sample of the README, compiled and run.
#[cfg(all(
    doctest,
    feature = "anyhow",
    feature = "axum",
    feature = "reqwest",
    feature = "testing",
    feature = "tokio",
    feature = "tower",
    feature = "watch"
))]
#[doc = include_str!("../README.md")]
struct Readme;
