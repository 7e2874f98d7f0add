use resilient::Classify;

#[derive(Classify)]
enum Failed {
    #[transient]
    #[permanent]
    Once,
    #[throttled]
    #[classify(transparent)]
    Twice(std::io::Error),
}

fn main() {}
