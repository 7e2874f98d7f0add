use resilient::resilient;

#[resilient(rate = -1)]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
