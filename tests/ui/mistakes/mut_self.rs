use resilient::resilient;

struct Client(u32);

impl Client {
    #[resilient(retries = 3)]
    fn call(mut self) -> Result<u32, std::io::Error> {
        self.0 += 1;
        Ok(self.0)
    }
}

fn main() {}
