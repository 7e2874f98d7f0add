#[resilient(retries = 1, base_delay = "1ms", reuse(self), fallback = |_| Ok(self.calls))]
async fn count(&mut self, callback: Box<dyn Fn() -> u32 + Send>) -> io::Result<u32> {
    self.calls += callback();
    Err(io::Error::other("x"))
}
