use resilient::resilient;

const TEXT: &str = "3";

#[resilient(rate = TEXT)]
fn rate() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
