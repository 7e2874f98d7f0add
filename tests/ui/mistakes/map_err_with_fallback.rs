use resilient::resilient;

#[resilient(deadline = "1s", map_err = |_| panic!(), fallback = |_| Ok(1))]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
