use resilient::resilient;

use std::time::Duration;

const NO_NAME: &str = "";
const NO_TIME: Duration = Duration::ZERO;

#[resilient(breaker = NO_NAME)]
fn name() -> Result<u32, std::io::Error> {
    Ok(1)
}

#[resilient(breaker(name = "payments", recovery_timeout = NO_TIME))]
fn setting() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
