use resilient::resilient;

const MOST: u32 = 0;

#[resilient(breaker = "partner", key = tenant, max_keys = MOST)]
fn call(tenant: u32) -> std::io::Result<()> {
    Ok(())
}

fn main() {}
