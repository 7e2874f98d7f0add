use resilient::resilient;

#[resilient(retries = 3, jitter = half)]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
