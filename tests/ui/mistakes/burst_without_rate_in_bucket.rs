use resilient::resilient;

#[resilient(bucket(name = "partner", burst = 3))]
fn call() -> std::io::Result<()> {
    Ok(())
}

fn main() {}
