use resilient::resilient;

#[resilient(rate = 10, max_wait = never)]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
