use resilient::resilient;

fn of_text(_: &String) -> bool {
    true
}

#[resilient(retries = 3, retry_if = of_text)]
fn wrong_argument() -> Result<u32, std::io::Error> {
    Ok(1)
}

#[resilient(retries = 3, retry_if = |error| error.kind())]
fn wrong_return() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
