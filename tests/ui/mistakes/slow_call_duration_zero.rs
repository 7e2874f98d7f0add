use resilient::resilient;

#[resilient(breaker(name = "payments", slow_call_duration = "0s"))]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
