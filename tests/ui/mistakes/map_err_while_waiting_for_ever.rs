use resilient::resilient;

#[resilient(rate = 10, max_wait = none, map_err = |_| panic!())]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
