use resilient::Classify;

#[derive(Classify)]
#[classify(default = permanant)]
enum Failed {
    Once,
}

fn main() {}
