use resilient::resilient;

#[resilient(bucket(name = "partner", rat = 3), bulkhead(name = "partner", concurency = 4, rate = 3))]
fn call() -> std::io::Result<()> {
    Ok(())
}

fn main() {}
