#[resilient(retries = 2, timeout = "1s")]
async fn load_twice(&self, key: &str) -> Result<String, Self::Error> {
    self.load(key).await?;
    self.load(key).await
}
