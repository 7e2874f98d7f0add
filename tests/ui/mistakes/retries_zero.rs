use resilient::resilient;

#[resilient(retries = 0)]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
