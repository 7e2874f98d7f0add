use resilient::resilient;

#[resilient(deadline = "600000d")]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
