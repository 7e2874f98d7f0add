use resilient::resilient;

#[resilient(deadline = "250")]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
