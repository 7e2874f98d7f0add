use resilient::resilient;

#[resilient(retries = 3, ctx = c)]
fn load() -> Result<u32, String> {
    Ok(1)
}

#[resilient(retries = 3, cx = c)]
fn save() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
