#[resilient(retries = 2, timeout = "1s")]
async fn described(&self, (name, mut n): (String, u32)) -> Result<String, io::Error> {
    n += 1;
    Ok(format!("{name}{n}{}", self.load("", vec![]).await?))
}
