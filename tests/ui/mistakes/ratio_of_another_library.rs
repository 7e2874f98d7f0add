use resilient::resilient;

#[resilient(breaker(name = "payments", failure_rate_threshold = 50, sliding_window_size = 100, minimum_number_of_calls = 10, slow_call_rate_threshold = 60, slow_call_duration_threshold = "2s"))]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
