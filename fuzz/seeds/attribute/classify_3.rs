#[derive(Classify)]
#[throttled(retry_after = wait)]
struct Paused {
wait: Duration,
}
