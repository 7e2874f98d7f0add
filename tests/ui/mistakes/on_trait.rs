use resilient::resilient;

#[resilient(retries = 3)]
trait Client {
    fn call(&self);
}

fn main() {}
