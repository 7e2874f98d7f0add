use resilient::resilient;

#[resilient(breaker(name = "payments", window = 100))]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
