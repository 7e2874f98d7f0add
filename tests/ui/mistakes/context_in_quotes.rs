use resilient::resilient;

#[resilient(retries = 3, context = "cx")]
fn load() -> Result<u32, String> {
    Ok(cx.attempt())
}

fn main() {}
