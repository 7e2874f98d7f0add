use resilient::resilient;

#[resilient(breaker = "partner", key = tenant, max_keys = 0)]
fn call(tenant: u32) -> std::io::Result<()> {
    Ok(())
}

#[resilient(bucket(name = "partner", key = tenant, max_keys = 10_000_001))]
fn other(tenant: u32) -> std::io::Result<()> {
    Ok(())
}

fn main() {}
