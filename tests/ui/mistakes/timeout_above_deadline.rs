use resilient::resilient;

#[resilient(timeout = "10s", deadline = "2s")]
async fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
