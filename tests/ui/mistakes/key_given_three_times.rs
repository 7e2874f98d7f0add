use resilient::{Rejected, resilient};

#[resilient(retries = 1, retries = 2, retries = 3)]
fn call() -> Result<(), Rejected> {
    Ok(())
}

fn main() {}
