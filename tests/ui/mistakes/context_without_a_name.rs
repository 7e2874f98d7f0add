use resilient::resilient;

#[resilient(retries = 3, context)]
fn load() -> Result<u32, String> {
    Ok(1)
}

#[resilient(retries = 3, context(cx))]
fn save() -> Result<u32, String> {
    Ok(cx.attempt())
}

fn main() {}
