use resilient::resilient;

trait Client {
    #[resilient(retries = 3)]
    fn call(&self) -> Result<u32, std::io::Error>;
}

fn main() {}
