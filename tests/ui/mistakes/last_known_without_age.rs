use resilient::resilient;

#[resilient(fallback = last_known)]
fn bare() -> Result<u32, std::io::Error> {
    Ok(1)
}

#[resilient(fallback = last_known())]
fn empty() -> Result<u32, std::io::Error> {
    Ok(1)
}

#[resilient(retries = 3, last_known = "10m")]
fn key() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
