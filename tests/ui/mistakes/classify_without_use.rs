use resilient::resilient;

#[resilient(deadline = "1s", classify = |_| panic!())]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
