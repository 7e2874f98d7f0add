use resilient::resilient;

#[resilient(retries = 3)]
fn call() -> u32 {
    1
}

#[resilient(retries = 3)]
async fn call_async() -> Option<u32> {
    Some(1)
}

#[resilient(breaker = "payments")]
fn nothing() {}

fn main() {}
