use resilient::resilient;

#[resilient(key = tenant, breaker(name = "partner", key = host))]
fn call(tenant: u32, host: u32) -> std::io::Result<()> {
    Ok(())
}

fn main() {}
