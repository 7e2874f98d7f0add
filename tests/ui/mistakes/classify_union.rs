use resilient::Classify;

#[derive(Classify)]
union Failed {
    number: u32,
    text: [u8; 4],
}

fn main() {}
