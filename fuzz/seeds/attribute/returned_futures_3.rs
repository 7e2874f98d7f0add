#[resilient(retries = 2, timeout = "1s")]
fn pinned(name: &str) -> Pin<Box<dyn Future<Output = io::Result<usize>> + Send + '_>> {
Box::pin(async move { Ok(name.len()) })
}
