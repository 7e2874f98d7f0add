use resilient::resilient;

#[resilient(timeout = "1s")]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
