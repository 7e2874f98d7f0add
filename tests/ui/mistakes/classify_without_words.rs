use resilient::Classify;

#[derive(Debug, Classify)]
#[classify]
enum Failure {
    #[transient]
    Lost,
}

fn main() {}
