use resilient::resilient;

const TEXT: &str = "3";

#[resilient(retries = TEXT)]
fn retries() -> Result<u32, std::io::Error> {
    Ok(1)
}

#[resilient(deadline = limit)]
fn deadline(limit: u64) -> Result<u32, std::io::Error> {
    Ok(limit as u32)
}

#[resilient(burst = TEXT, rate = 10)]
fn burst() -> Result<u32, std::io::Error> {
    Ok(1)
}

#[resilient(breaker = 3 + 4)]
fn breaker() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
