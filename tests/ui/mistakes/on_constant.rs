use resilient::resilient;

#[resilient(retries = 3)]
const CLIENT: u32 = 1;

fn main() {}
