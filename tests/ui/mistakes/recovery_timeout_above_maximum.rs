use resilient::resilient;

#[resilient(breaker(name = "payments", recovery_timeout = "10s", max_recovery_timeout = "5s"))]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
