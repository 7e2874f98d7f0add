use resilient::Classify;

#[derive(Classify)]
enum Failed {
    #[permanent(retry_after = wait)]
    Never { wait: std::time::Duration },
}

fn main() {}
