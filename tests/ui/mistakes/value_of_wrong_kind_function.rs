use resilient::resilient;

#[resilient(retries = 3, retry_if = "timeout")]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
