use resilient::Classify;

#[derive(Classify)]
#[permanent]
enum Failed {
    Once,
}

fn main() {}
