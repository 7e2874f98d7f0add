use resilient::resilient;

#[resilient(fallback = last_known(10))]
fn no_unit() -> Result<u32, std::io::Error> {
    Ok(1)
}

#[resilient(fallback = last_known("0s"))]
fn zero() -> Result<u32, std::io::Error> {
    Ok(1)
}

#[resilient(fallback = last_known("10 minuets"))]
fn typo() -> Result<u32, std::io::Error> {
    Ok(1)
}

#[resilient(fallback = last_known(true))]
fn wrong_kind() -> Result<u32, std::io::Error> {
    Ok(1)
}

#[resilient(fallback = last_known("1m", "2m"))]
fn two() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
