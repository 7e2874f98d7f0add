use resilient::{Window, resilient};

const NOTHING: Window = Window::calls(0);
const MANY: u32 = 200;

#[resilient(breaker(name = "payments", failure_ratio = 0.5, window = NOTHING))]
fn size() -> Result<u32, std::io::Error> {
    Ok(1)
}

#[resilient(breaker(name = "payments", failure_ratio = 0.5, minimum_calls = MANY))]
fn minimum() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
