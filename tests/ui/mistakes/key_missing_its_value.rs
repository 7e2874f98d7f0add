use resilient::resilient;

#[resilient(breaker = "partner", key)]
fn call() -> std::io::Result<()> {
    Ok(())
}

#[resilient(breaker = "partner", key(tenant))]
fn other(tenant: u32) -> std::io::Result<()> {
    Ok(())
}

fn main() {}
