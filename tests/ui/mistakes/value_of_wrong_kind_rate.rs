use resilient::resilient;

#[resilient(rate = 'x')]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
