use resilient::resilient;

#[resilient(rate = 10, burst = N)]
fn call<const N: u32>() -> Result<u32, std::io::Error> {
    Ok(N)
}

fn main() {}
