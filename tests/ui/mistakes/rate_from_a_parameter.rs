use resilient::resilient;

#[resilient(rate = limit)]
fn call(limit: u32) -> Result<u32, std::io::Error> {
    Ok(limit)
}

fn main() {}
