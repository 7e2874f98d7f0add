use resilient::resilient;

#[resilient(retries, timeout =)]
async fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
