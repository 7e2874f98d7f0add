use resilient::resilient;

#[resilient(retries = 3)]
struct Client;

fn main() {}
