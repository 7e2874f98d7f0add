use resilient::resilient;

#[resilient(rate = 10i8)]
fn rate() -> Result<u32, std::io::Error> {
    Ok(1)
}

#[resilient(rate = 1.5f32)]
fn fraction() -> Result<u32, std::io::Error> {
    Ok(1)
}

#[resilient(breaker(name = "payments", failure_ratio = 0.5f32, window = 10i8, minimum_calls = 101))]
fn share() -> Result<u32, std::io::Error> {
    Ok(1)
}

#[resilient(breaker(name = "payments", failure_ratio = 1u8))]
fn whole_share() -> Result<u32, std::io::Error> {
    Ok(1)
}

#[resilient(retries = 1, budget = 1x)]
fn budget() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
