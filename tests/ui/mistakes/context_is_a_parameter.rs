use resilient::resilient;

#[resilient(retries = 3, context = cx)]
fn load((cx, _): (u32, u32)) -> Result<u32, String> {
    Ok(cx)
}

fn main() {}
