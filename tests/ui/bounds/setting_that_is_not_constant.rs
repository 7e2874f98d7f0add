use resilient::resilient;

fn limit() -> u32 {
    10
}

#[resilient(rate = limit())]
fn rate() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
