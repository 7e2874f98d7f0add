use resilient::resilient;

#[resilient(rate = "many/s")]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
