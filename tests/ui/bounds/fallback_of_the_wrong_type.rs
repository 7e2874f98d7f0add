use resilient::resilient;

fn zero(_: String) -> Result<u32, std::io::Error> {
    Ok(0)
}

#[resilient(retries = 3, fallback = zero)]
fn wrong_argument() -> Result<u32, std::io::Error> {
    Ok(1)
}

#[resilient(retries = 3, fallback = |_| 0)]
fn wrong_return() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
