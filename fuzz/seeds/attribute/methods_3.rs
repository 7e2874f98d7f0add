#[resilient(retries = Self::RETRIES, base_delay = self.timeout)]
fn shared_sync(&self, path: &str) -> io::Result<String> {
    Ok(format!("{}{path}", self.name))
}
