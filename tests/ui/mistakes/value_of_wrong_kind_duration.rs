use resilient::resilient;

#[resilient(deadline = true)]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
