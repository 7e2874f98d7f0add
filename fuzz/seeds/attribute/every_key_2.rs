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
