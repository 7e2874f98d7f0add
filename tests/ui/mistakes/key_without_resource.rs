use resilient::resilient;

#[resilient(retries = 3, key = tenant)]
fn call(tenant: u32) -> std::io::Result<()> {
    Ok(())
}

fn main() {}
