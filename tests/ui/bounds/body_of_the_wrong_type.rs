use resilient::resilient;

#[resilient(retries = 3)]
fn call() -> Result<u32, std::io::Error> {
    Ok("one")
}

#[resilient(retries = 3)]
async fn call_async() -> Result<u32, std::io::Error> {
    Ok(1);
}

#[resilient(timeout = "1s")]
async fn once() -> Result<u32, std::io::Error> {
    "one"
}

fn main() {}
