use resilient::resilient;

#[resilient(deadline = "")]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
