#[resilient(retries = 2, timeout = "1s", reuse(self))]
async fn pinned(mut self: Pin<&mut Self>) -> io::Result<u32> {
    self.as_mut().calls += 1;
    Ok(self.calls)
}
