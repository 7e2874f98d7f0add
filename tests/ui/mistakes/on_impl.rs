use resilient::resilient;

#[resilient(retries = 3)]
impl Client {
    fn call(&self) {}
}

struct Client;

fn main() {}
