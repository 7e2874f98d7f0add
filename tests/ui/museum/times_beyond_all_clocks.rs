use resilient::resilient;

#[resilient(retries = 1, base_delay = "584542046090y", max_delay = "584542046090y", max_retry_after = "584542046090y")]
fn years() -> Result<u32, std::io::Error> {
    Ok(1)
}

#[resilient(retries = 1, base_delay = "18446744073709551616ns", max_delay = "213504d", max_retry_after = "5124096h")]
fn waits() -> Result<u32, std::io::Error> {
    Ok(1)
}

#[resilient(timeout = "99999999999999999999999999999999999999999d", deadline = "18446744074s", rate = 1, max_wait = "307445735m")]
async fn limits() -> Result<u32, std::io::Error> {
    Ok(1)
}

#[resilient(
    breaker(
        name = "payments",
        recovery_timeout = "600000d",
        max_recovery_timeout = "600000d",
        slow_call_duration = "600000d",
        slow_call_ratio = 0.5,
        window = "600000d"
    ),
    fallback = last_known("600000d")
)]
fn shared() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
