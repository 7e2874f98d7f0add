#[resilient(timeout = "1s", fallback = |_| Ok(spare.0.len()))]
async fn spare(value: NoClone, spare: NoClone) -> io::Result<usize> {
Err(io::Error::other(consume(value).to_string()))
}
