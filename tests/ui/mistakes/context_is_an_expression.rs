use resilient::resilient;

#[resilient(retries = 3, context = a.b)]
fn load() -> Result<u32, String> {
    Ok(1)
}

#[resilient(retries = 3, context = self)]
fn save() -> Result<u32, String> {
    Ok(1)
}

#[resilient(retries = 3, context = _)]
fn remove() -> Result<u32, String> {
    Ok(1)
}

fn main() {}
