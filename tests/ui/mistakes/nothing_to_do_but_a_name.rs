use resilient::resilient;

#[resilient(name = "charge")]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
