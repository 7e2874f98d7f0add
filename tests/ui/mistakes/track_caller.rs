use resilient::resilient;

#[resilient(retries = 3)]
#[track_caller]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
