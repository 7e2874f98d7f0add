//! Every key in every form.

use resilient::{Failure, Jitter, Rate, Rejected, Verdict, Window, resilient};
use std::io;
use std::time::Duration;

const RETRIES: u32 = 2;
const WAIT: Duration = Duration::from_millis(1);
const PER_SECOND: u32 = 100;
const RATE: Rate = Rate::per(10, Duration::from_secs(1));
const MOST: u32 = 1_000;
const NAME: &str = "every-key";
const SPREAD: Jitter = Jitter::ratio(0.1);
const RATIO: f64 = 0.1;

#[resilient(
    retries = 3,
    base_delay = "10ms",
    max_delay = "1m30s",
    backoff = fibonacci,
    jitter = 0.25,
    max_retry_after = "1.5s",
    retry_if = |error| error.kind() == io::ErrorKind::TimedOut,
    budget = 0.2,
    timeout = 250ms,
    deadline = 1h,
    breaker(name = "every-key", failure_threshold = 3, recovery_timeout = "2s", max_recovery_timeout = 1min, half_open_calls = 2, success_threshold = 1),
    rate = "5000/h",
    burst = 20,
    bucket = "every-key",
    max_wait = "0s",
    concurrency = 16,
    bulkhead = "every-key",
    map_err = io::Error::other,
    name = "every_key::literals",
    crate = "resilient",
)]
async fn literals(name: &str) -> io::Result<usize> {
    Ok(name.len())
}

#[resilient(
    breaker(name = "every-key", key = (tenant, host.to_owned()), max_keys = 10),
    bucket(name = "every-key", rate = RATE, burst = 20, key = host, max_keys = MOST),
    bulkhead(name = "every-key", concurrency = 16, key = tenant + 1, max_keys = 1_000),
)]
async fn groups(tenant: u64, host: &str) -> io::Result<u64> {
    Ok(tenant + host.len() as u64)
}

#[resilient(rate = 10, concurrency = 2, breaker = NAME, key = tenant, max_keys = MOST)]
fn keyed<T: Clone + Eq + std::hash::Hash + Send + 'static>(tenant: T) -> io::Result<T> {
    Ok(tenant)
}

#[resilient(
    retries = RETRIES + 1,
    base_delay = WAIT,
    max_delay = WAIT * 10,
    jitter = SPREAD,
    max_retry_after = limits.1,
    retry_if = is_temporary,
    budget = RATIO,
    timeout = limits.0,
    deadline = limits.1 + WAIT,
    breaker = NAME,
    rate = RATE,
    burst = PER_SECOND,
    max_wait = limits.0 * 2,
    concurrency = PER_SECOND,
    name = NAME,
    crate = resilient,
)]
async fn expressions(name: &str, limits: (Duration, Duration)) -> io::Result<usize> {
    Ok(name.len())
}

fn is_temporary(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::TimedOut
}

#[resilient(retries = 1, backoff = decorrelated, budget = "shared", classify = |outcome: &io::Result<u32>| {
    if outcome.is_ok() { Verdict::Success } else { Verdict::Permanent }
})]
fn classified(fail: bool) -> io::Result<u32> {
    if fail { Err(io::Error::other("x")) } else { Ok(1) }
}

#[resilient(retries = 2, base_delay = "1ms", jitter = none, budget = none, classify = verdict)]
fn plain_and_classified(calls: &mut u32) -> u32 {
    *calls += 1;
    *calls
}

fn verdict(value: &u32) -> Verdict {
    if *value > 1 { Verdict::Success } else { Verdict::Transient { retry_after: None } }
}

#[resilient(retries = 2, backoff = constant, jitter = equal, classify = verdict_of, retry_if = |_| true)]
fn both(fail: bool) -> Result<u32, String> {
    if fail { Err("x".into()) } else { Ok(1) }
}

fn verdict_of<E>(outcome: &Result<u32, E>) -> Verdict {
    if outcome.is_ok() { Verdict::Success } else { Verdict::Transient { retry_after: None } }
}

#[resilient(rate = 10.5, max_wait = none)]
fn fractions() {}

#[resilient(rate = 0.5, burst = 3)]
fn slow() -> Result<(), Rejected> {
    Ok(())
}

#[resilient(rate = PER_SECOND, max_wait = 5s)]
fn constant_rate() -> Result<(), Rejected> {
    Ok(())
}

#[resilient(retries = 1, retry_if = |error: &String| error == "again", timeout = "1s", map_err = |rejected: Rejected| rejected.to_string())]
async fn strings() -> Result<u32, String> {
    Ok(1)
}

#[resilient(retries = 1, base_delay = "1ms", deadline = "1s", timeout = "5ms", fallback = |failure: Failure<String>| {
    let prefix = prefix.await;
    match failure {
        Failure::Error(error) => Err(prefix + &error),
        failure => Err(prefix + &failure.to_string()),
    }
})]
async fn awaited_fallback(prefix: impl Future<Output = String>) -> Result<u32, String> {
    std::future::pending().await
}

#[resilient(retries = 1, base_delay = "1ms", fallback = async move |_| Err("async".to_owned()))]
async fn async_fallback() -> Result<u32, String> {
    Err("x".into())
}

const HALF: f64 = 0.5;
const WINDOW: Window = Window::calls(7);
const WHILE: Duration = Duration::from_secs(30);

#[resilient(breaker(
    name = "ratios",
    failure_threshold = 10,
    failure_ratio = 1,
    slow_call_duration = "250ms",
    slow_call_ratio = 0.8,
    window = "1m30s",
    minimum_calls = 1_000,
    shadow = true,
))]
fn ratios() -> io::Result<u32> {
    Ok(1)
}

#[resilient(breaker(
    name = "constants",
    failure_ratio = HALF,
    slow_call_duration = WAIT,
    slow_call_ratio = RATIO * 2.0,
    window = PER_SECOND,
    minimum_calls = PER_SECOND - 1,
    shadow = RETRIES > 1,
))]
fn constant_ratios() -> io::Result<u32> {
    Ok(1)
}

#[resilient(breaker(name = "windows", failure_ratio = 0.5, window = WINDOW))]
fn constant_window() -> io::Result<u32> {
    Ok(1)
}

#[resilient(breaker(name = "while", failure_ratio = 0.5, window = WHILE))]
fn constant_while() -> io::Result<u32> {
    Ok(1)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    assert!(literals("ab").await.is_ok());
    assert_eq!(expressions("ab", (WAIT * 1000, WAIT * 2000)).await?, 2);
    assert_eq!(classified(false)?, 1);
    assert!(classified(true).is_err());
    assert_eq!(plain_and_classified(&mut 0), 2);
    assert_eq!(both(false), Ok(1));
    fractions();
    assert_eq!([ratios()?, constant_ratios()?, constant_window()?, constant_while()?], [1; 4]);
    assert!(slow().is_ok() && constant_rate().is_ok());
    assert_eq!((groups(1, "ab").await?, keyed("a")?, keyed(7_u64)?), (3, "a", 7));
    assert_eq!(strings().await, Ok(1));
    assert!(awaited_fallback(async { "p: ".to_owned() }).await.unwrap_err().starts_with("p: "));
    assert_eq!(async_fallback().await, Err("async".into()));
    Ok(())
}
