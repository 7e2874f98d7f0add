#[resilient(retries = 3, ctx = c)]
fn load() -> Result<u32, String> {
Ok(1)
}
