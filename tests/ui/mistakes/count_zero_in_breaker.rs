use resilient::resilient;

#[resilient(breaker(name = "payments", failure_threshold = 0, half_open_calls = 0, success_threshold = 0))]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
