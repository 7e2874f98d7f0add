use resilient::resilient;

#[resilient(breaker = tenant)]
fn call(tenant: &'static str) -> std::io::Result<()> {
    Ok(())
}

#[resilient(bucket(name = tenant), bulkhead = self.host)]
fn other(tenant: &'static str) -> std::io::Result<()> {
    Ok(())
}

fn main() {}
