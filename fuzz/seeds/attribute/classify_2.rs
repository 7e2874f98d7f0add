#[derive(Classify)]
#[classify(default = permanent, crate = "resilient")]
enum Strict {
#[transient]
Again,
Rest(u8),
}
