use resilient::resilient;

#[resilient(context = cx)]
fn load() -> Result<u32, String> {
    Ok(cx.attempt())
}

fn main() {}
