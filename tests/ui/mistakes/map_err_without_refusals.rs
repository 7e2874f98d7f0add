use resilient::resilient;

#[resilient(retries = 3, map_err = |_| panic!())]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
