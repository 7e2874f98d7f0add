//! Async functions.

use ::core::convert::From;
use ::core::future::Future;
use ::core::marker::Send;
use ::core::ops::Fn;
use ::core::option::Option::{self, Some};
use ::core::pin::Pin;
use ::core::result::Result::{self, Err, Ok};
use ::resilient::{Failure, resilient};
use ::std::boxed::Box;
use ::std::io;
use ::std::string::String;
use ::std::vec::Vec;

/// Everything at once.
///
/// # Errors
/// The service's.
#[resilient(
    retries = 3,
    base_delay = "10ms",
    timeout = "1s",
    deadline = "5s",
    breaker = "lints-async",
    rate = 100,
    concurrency = 16,
    clone(order),
    name = "lints::full"
)]
pub async fn full(name: &str, list: Vec<u32>, mut buffer: Vec<u8>, order: String) -> io::Result<usize> {
    buffer.push(1);
    let order = order.into_bytes();
    Ok(name.len() + list.len() + buffer.len() + order.len())
}

/// Asks for its context.
///
/// # Errors
/// The service's.
#[resilient(retries = 3, timeout = "1s", clone(order), context = cx)]
pub async fn with_context(mut buffer: Vec<u8>, order: String) -> io::Result<(usize, bool)> {
    buffer.append(&mut order.into_bytes());
    Ok((buffer.len(), cx.previous_error().is_none()))
}

unformatted! {
    /// One line.
    ///
    /// # Errors
    /// None.
    #[resilient(timeout = "1s")]
    pub async fn one_line(number: u32) -> io::Result<u32> { Ok(number) }
}

/// Unit.
#[resilient(concurrency = 3, max_wait = none)]
pub async fn unit(list: &mut Vec<u32>) {
    list.push(1);
}

/// Consumes.
///
/// # Errors
/// The service's.
#[resilient(timeout = "1s")]
pub async fn consumes(list: Vec<u32>) -> io::Result<Vec<u32>> {
    Ok(list)
}

/// Falls back.
///
/// # Errors
/// When the fallback has none.
#[resilient(retries = 2, timeout = "1s", fallback = |failure| {
    match failure {
        Failure::Error(error) => Err(error),
        Failure::Rejected(_) => one_line(name.len().try_into_u32()).await,
    }
})]
pub async fn falls_back(name: String) -> io::Result<u32> {
    one_line(name.len().try_into_u32()).await
}

trait TryIntoU32 {
    fn try_into_u32(self) -> u32;
}

impl TryIntoU32 for usize {
    fn try_into_u32(self) -> u32 {
        u32::MAX
    }
}

/// Plain.
#[resilient(timeout = "1s", rate = 0.5, fallback = |_| Some(1))]
pub async fn optional(list: &[u32]) -> Option<u32> {
    list.first().copied()
}

/// Returns a future.
///
/// # Errors
/// None.
#[resilient(retries = 2, timeout = "1s")]
pub fn opaque(name: &str) -> impl Future<Output = io::Result<usize>> + Send + use<> {
    let length = name.len();
    async move { Ok(length) }
}

/// Returns a boxed future.
///
/// # Errors
/// None.
#[resilient(retries = 2, timeout = "1s")]
#[must_use]
pub fn boxed(name: &str) -> Pin<Box<dyn Future<Output = io::Result<usize>> + Send + '_>> {
    Box::pin(async move { Ok(name.len()) })
}

/// Generic.
///
/// # Errors
/// The function's.
#[resilient(retries = 1, timeout = "1s", map_err = convert)]
pub async fn generic<E: Send + From<u32>>(call: impl Fn() -> Result<u32, E> + Send) -> Result<u32, E> {
    call()
}

fn convert<E: From<u32>>(_: ::resilient::Rejected) -> E {
    From::from(1)
}
