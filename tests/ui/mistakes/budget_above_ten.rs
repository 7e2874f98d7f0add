use resilient::resilient;

#[resilient(retries = 3, budget = 20)]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
