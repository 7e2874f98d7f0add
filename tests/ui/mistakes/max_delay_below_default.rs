use resilient::resilient;

#[resilient(retries = 3, max_delay = "50ms")]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
