use resilient::resilient;

#[resilient(rate = 0)]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
