use resilient::resilient;

#[resilient(deadline = "1s", retry_if = |_| true)]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
