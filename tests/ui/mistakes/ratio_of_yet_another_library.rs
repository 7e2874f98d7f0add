use resilient::resilient;

#[resilient(breaker(name = "payments", failure_ratio = 0.5, sampling_duration = "10s", minimum_throughput = 8, break_duration = "5s"))]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
