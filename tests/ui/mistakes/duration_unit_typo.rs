use resilient::resilient;

#[resilient(deadline = "5 sec")]
fn call() -> Result<u32, std::io::Error> {
    Ok(1)
}

fn main() {}
