#[resilient(retries = 2, timeout = "1s")]
async fn question_mark(text: &str) -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
if text.is_empty() {
    return Ok(0);
}
Ok(text.parse::<u32>()?)
}
