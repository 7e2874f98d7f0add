use resilient::resilient;

#[resilient(retries = 3, name = "")]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
