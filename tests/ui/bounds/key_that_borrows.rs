use resilient::resilient;

#[resilient(breaker = "partner", key = (tenant, port))]
fn call(tenant: &str, port: u16) -> std::io::Result<()> {
    Ok(())
}

fn main() {}
