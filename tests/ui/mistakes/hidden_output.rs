use resilient::resilient;
use std::pin::Pin;

#[resilient(retries = 1)]
fn unsaid() -> impl Future {
    async move { 7 }
}

#[resilient(retries = 1)]
fn in_a_block() -> Pin<Box<dyn Future<Output = u32>>> {
    { Box::pin(async { 7 }) }
}

fn main() {}
