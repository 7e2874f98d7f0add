use resilient::resilient;

#[resilient(breaker(name = "payments", recovery_timeout = "2m"))]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
