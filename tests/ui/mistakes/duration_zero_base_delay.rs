use resilient::resilient;

#[resilient(retries = 3, base_delay = "0ms")]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
