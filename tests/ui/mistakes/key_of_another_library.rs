use resilient::resilient;

#[resilient(max_attempts = 3)]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
