//! Sync functions.

use ::core::marker::Sized;
use ::core::ops::Fn;
use ::core::option::Option::{self, None};
use ::core::result::Result::{self, Err, Ok};
use ::core::time::Duration;
use ::resilient::{Failure, Rejected, Verdict, resilient};
use ::std::io;
use ::std::string::{String, ToString};
use ::std::vec::Vec;

const RETRIES: u32 = 2;
const WAIT: Duration = Duration::from_millis(1);

/// Borrows.
///
/// # Errors
/// The service's.
#[resilient(retries = 3, breaker = "lints", rate = "100/s", burst = 5, max_wait = "1s", deadline = "2s")]
pub fn borrows(name: &str, list: &mut Vec<u32>, order: &[u8]) -> io::Result<usize> {
    list.push(1);
    Ok(name.len() + list.len() + order.len())
}

/// Asks for its context.
///
/// # Errors
/// The service's.
#[resilient(retries = 3, context = cx)]
pub fn with_context(order: &str) -> Result<String, String> {
    Ok(order.to_string() + &cx.idempotency_key().to_string())
}

unformatted! {
    /// One line.
    ///
    /// # Errors
    /// None.
    #[resilient(retries = 3)]
    pub fn one_line(number: u32) -> io::Result<u32> { Ok(number) }
}

/// Keyed by what it borrows.
///
/// # Errors
/// The service's.
#[resilient(breaker = "lints", rate = "100/s", concurrency = 3, key = tenant, max_keys = 1_000)]
pub fn keyed(tenant: &str) -> io::Result<usize> {
    Ok(tenant.len())
}

/// Keyed by what it consumes, and by a pair.
///
/// # Errors
/// The service's.
#[resilient(retries = RETRIES, base_delay = WAIT, clone(tenant), bucket(rate = 5, key = tenant), bulkhead(name = "lints", key = (tenant.len(), host)))]
pub fn keyed_twice(tenant: String, host: u32) -> io::Result<String> {
    if host == 0 { Err(io::Error::other("no host")) } else { Ok(tenant) }
}

/// Unit, and nothing can refuse it.
#[resilient(concurrency = 3, max_wait = none)]
pub fn unit(list: &mut Vec<u32>) {
    list.push(1);
}

/// Unit that is judged.
#[resilient(bucket = "lints", max_wait = none)]
pub fn judged_unit(list: &mut Vec<u32>) {
    list.push(1);
}

/// Plain, and judged by hand.
#[resilient(retries = RETRIES, base_delay = WAIT, classify = verdict, jitter = none, backoff = constant)]
#[must_use]
pub fn plain(number: u128) -> u128 {
    number
}

const fn verdict(number: &u128) -> Verdict {
    if *number > 1 { Verdict::Success } else { Verdict::Permanent }
}

/// Consumes and clones.
///
/// # Errors
/// Always.
#[resilient(retries = 2, clone(name), reuse(count), retry_if = String::is_empty)]
pub fn consumes(name: String, mut list: Vec<u32>, mut count: u32) -> Result<u32, String> {
    list.push(count);
    count += 1;
    drop_all(list);
    if count > 3 { Ok(count) } else { Err(name) }
}

fn drop_all(_: Vec<u32>) {}

/// Falls back.
///
/// # Errors
/// When the fallback has none.
#[resilient(retries = 2, breaker(name = "lints", failure_threshold = 3), clone(name), fallback = |failure| {
    match failure {
        Failure::Error(error) => Err(error),
        Failure::Rejected(_) => Ok(name),
    }
})]
pub fn falls_back(name: String, #[cfg(any())] mut missing: Missing) -> io::Result<String> {
    Ok(name)
}

/// Falls back on a path.
#[resilient(rate = 10, fallback = nothing)]
#[must_use]
pub fn optional(list: &[u32]) -> Option<u32> {
    list.first().copied()
}

fn nothing<E>(_: Failure<E>) -> Option<u32> {
    None
}

/// Converts.
///
/// # Errors
/// When refused.
#[resilient(bulkhead = "lints", concurrency = 3, map_err = |rejected: Rejected| rejected.to_string())]
pub fn converts((first, mut second): (u32, u32), [third, ..]: [u32; 2]) -> Result<u32, String> {
    second += first;
    Ok(second + third)
}

/// Generic.
///
/// # Errors
/// The function's.
#[resilient(retries = N, name = "lints::generic")]
pub fn generic<'a, T, E, const N: u32>(value: &'a T, call: impl Fn(&'a T) -> Result<u32, E>) -> Result<u32, E>
where
    T: ?Sized,
{
    call(value)
}
