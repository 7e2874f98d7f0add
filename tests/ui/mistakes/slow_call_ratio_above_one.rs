use resilient::resilient;

#[resilient(breaker(name = "payments", slow_call_duration = "2s", slow_call_ratio = 1.5))]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
