use resilient::resilient;

#[resilient(retries = 3)]
enum Client {}

fn main() {}
