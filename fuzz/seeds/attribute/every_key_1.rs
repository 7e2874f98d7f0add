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
