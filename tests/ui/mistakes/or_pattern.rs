use resilient::resilient;

#[resilient(retries = 3)]
fn call((Ok(mut number) | Err(mut number)): Result<u32, u32>) -> Result<u32, std::io::Error> {
    number += 1;
    Ok(number)
}

fn main() {}
