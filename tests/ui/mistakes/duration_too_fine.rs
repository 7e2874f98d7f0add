use resilient::resilient;

#[resilient(deadline = "0.5ns")]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
