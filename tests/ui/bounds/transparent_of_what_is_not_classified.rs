use resilient::Classify;

pub struct Order(u32);

#[derive(Classify)]
pub enum Failed {
    #[classify(transparent)]
    Order(Order),
    #[throttled(retry_after = wait)]
    Busy { wait: String },
}

fn main() {}
