use resilient::resilient;

#[resilient(timeout = "0s", deadline = 0s)]
async fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
