use resilient::resilient;

#[resilient(breaker(name = "payments", failure_ratio = 50))]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
