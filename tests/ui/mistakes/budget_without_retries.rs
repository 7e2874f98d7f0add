use resilient::resilient;

#[resilient(deadline = "1s", budget = 0.1)]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
