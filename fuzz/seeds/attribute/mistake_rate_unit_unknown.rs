#[resilient(rate = "100/fortnight")]
fn call() -> Result<u32, std::io::Error> {
Ok(1)
}
