use resilient::resilient;

#[resilient(bucket = "", bulkhead = " ")]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
