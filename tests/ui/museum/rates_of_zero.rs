use resilient::{Rate, resilient};

#[resilient(rate = "0/s")]
fn text() -> Result<u32, std::io::Error> {
    Ok(1)
}

#[resilient(rate = "0/day", burst = 0)]
fn both() -> Result<u32, std::io::Error> {
    Ok(1)
}

#[resilient(rate = 0.0)]
fn fraction() -> Result<u32, std::io::Error> {
    Ok(1)
}

#[resilient(rate = "100/0s")]
fn per_nothing() -> Result<u32, std::io::Error> {
    Ok(1)
}

const NOTHING: Rate = Rate::per_second(0);

#[resilient(rate = NOTHING)]
fn constant() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
