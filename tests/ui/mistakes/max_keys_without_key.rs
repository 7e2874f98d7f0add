use resilient::resilient;

#[resilient(breaker = "partner", max_keys = 10)]
fn call() -> std::io::Result<()> {
    Ok(())
}

#[resilient(bulkhead(name = "partner", max_keys = 10))]
fn other() -> std::io::Result<()> {
    Ok(())
}

fn main() {}
