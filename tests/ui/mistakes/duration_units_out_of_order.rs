use resilient::resilient;

#[resilient(deadline = "30s1m")]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
