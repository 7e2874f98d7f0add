use resilient::resilient;

#[resilient(breaker = "partner", key = "tenant")]
fn call(tenant: u32) -> std::io::Result<()> {
    Ok(())
}

#[resilient(bucket(name = "partner", key = 7))]
fn other() -> std::io::Result<()> {
    Ok(())
}

fn main() {}
