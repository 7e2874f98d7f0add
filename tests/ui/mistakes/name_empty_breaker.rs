use resilient::resilient;

#[resilient(breaker = "")]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
