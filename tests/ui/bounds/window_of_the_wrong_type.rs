use resilient::resilient;

const SIZE: &str = "100";

#[resilient(breaker(name = "payments", failure_ratio = 0.5, window = SIZE))]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
