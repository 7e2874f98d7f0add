#[resilient(retries = 3)]
const fn call() -> Result<u32, std::io::Error> {
Ok(1)
}
