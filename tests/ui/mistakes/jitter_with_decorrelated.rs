use resilient::resilient;

#[resilient(retries = 3, backoff = decorrelated, jitter = full)]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
