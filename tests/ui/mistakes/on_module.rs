use resilient::resilient;

#[resilient(retries = 3)]
mod client {}

fn main() {}
