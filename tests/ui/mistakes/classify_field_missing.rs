use resilient::Classify;

#[derive(Classify)]
enum Failed {
    #[throttled(retry_after)]
    Busy { wait: std::time::Duration },
}

fn main() {}
