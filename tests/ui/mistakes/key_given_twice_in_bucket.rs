use resilient::resilient;

#[resilient(bucket(name = "partner", key = tenant, rate = 3, key = host))]
fn call(tenant: u32, host: u32) -> std::io::Result<()> {
    Ok(())
}

fn main() {}
