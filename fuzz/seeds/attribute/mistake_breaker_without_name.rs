#[resilient(breaker(failure_threshold = 3))]
fn call() -> Result<u32, std::io::Error> {
Ok(1)
}
