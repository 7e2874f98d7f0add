use resilient::resilient;

#[resilient(breaker(name = "payments", shadow = 1))]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
