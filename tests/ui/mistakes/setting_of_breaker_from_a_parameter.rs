use resilient::resilient;

#[resilient(breaker(name = "payments", failure_threshold = limit))]
fn call(limit: u32) -> Result<u32, std::io::Error> {
    Ok(limit)
}

fn main() {}
