use resilient::resilient;

#[resilient(breaker(name = "payments", name = "orders"))]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
