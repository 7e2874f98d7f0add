use resilient::resilient;

#[resilient(breaker(name = "payments", failure_threshold = 3, minimum_calls = 20))]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
