use resilient::resilient;

#[resilient(rate = 2_000_000_000)]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
