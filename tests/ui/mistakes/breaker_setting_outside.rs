use resilient::resilient;

#[resilient(breaker = "payments", failure_threshold = 3, sliding_window_size = 10)]
fn load() -> Result<u32, resilient::Rejected> {
    Ok(1)
}

fn main() {}
