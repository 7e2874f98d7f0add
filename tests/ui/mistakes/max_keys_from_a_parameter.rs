use resilient::resilient;

#[resilient(breaker = "partner", key = tenant, max_keys = most)]
fn call(tenant: u32, most: u32) -> std::io::Result<()> {
    Ok(())
}

fn main() {}
