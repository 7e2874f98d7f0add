use resilient::Classify;

#[derive(Classify)]
enum Failed {
    #[throttled(retry_after = wiat)]
    Busy { wait: std::time::Duration },
    #[transient(retry_after = 1)]
    Later(std::time::Duration),
}

fn main() {}
