use resilient::resilient;

#[resilient(max_attempts = 3, retries = 4)]
fn first() -> Result<u32, std::io::Error> {
    Ok(1)
}

#[resilient(retries = 3, max_attempts = 4)]
fn second() -> Result<u32, std::io::Error> {
    Ok(1)
}

#[resilient(max_attempts = 3, max_retries = 4)]
fn both() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
