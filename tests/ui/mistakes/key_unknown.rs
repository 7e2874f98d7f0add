use resilient::resilient;

#[resilient(retrys = 3)]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

#[resilient(retries = 3, falback = |_| Ok(1))]
fn call_with_fallback() -> Result<u32, std::io::Error> {
    Ok(1)
}

#[resilient(retries = 3, crate = <Vec<u8>>::resilient)]
fn call_elsewhere() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
