use resilient::resilient;

#[resilient(3, retries = 3)]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
