use resilient::resilient;

struct Client;

impl Client {
    #[resilient(retries = 3, clone(self))]
    fn call(self) -> Result<u32, std::io::Error> {
        Ok(1)
    }
}

fn main() {}
