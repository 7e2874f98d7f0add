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
