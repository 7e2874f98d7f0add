use resilient::resilient;

#[resilient(bucket(key = tenant))]
fn call(tenant: u32) -> std::io::Result<()> {
    Ok(())
}

#[resilient(bulkhead(key = tenant))]
fn other(tenant: u32) -> std::io::Result<()> {
    Ok(())
}

fn main() {}
