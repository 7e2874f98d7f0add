use resilient::resilient;

#[resilient(deadline = "1s", max_retry_after = "1s")]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
