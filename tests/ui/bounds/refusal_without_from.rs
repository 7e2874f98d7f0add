use resilient::resilient;

#[derive(Debug)]
pub enum Failed {
    Io(std::io::Error),
}

#[resilient(breaker = "payments")]
fn call() -> Result<u32, Failed> {
    Ok(1)
}

#[resilient(retries = 3, timeout = "1s")]
async fn call_async() -> Result<u32, Failed> {
    Ok(1)
}

#[resilient(rate = 10)]
fn text() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
