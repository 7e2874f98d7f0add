use resilient::Classify;

#[derive(Classify)]
enum Failed {
    #[classify(transparent)]
    Io(std::io::Error, String),
    #[classify(transparent)]
    Nothing,
}

fn main() {}
