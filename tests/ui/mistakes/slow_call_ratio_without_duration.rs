use resilient::resilient;

#[resilient(breaker(name = "payments", slow_call_ratio = 0.5))]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
