#[resilient(deadline = 2)]
fn call() -> Result<u32, std::io::Error> {
Ok(1)
}
