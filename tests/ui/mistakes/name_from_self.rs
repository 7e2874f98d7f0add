use resilient::resilient;

struct Client {
    name: &'static str,
}

impl Client {
    const RATE: u32 = 10;

    #[resilient(breaker = self.name)]
    fn call(&self) -> Result<u32, std::io::Error> {
        Ok(1)
    }

    #[resilient(rate = Self::RATE)]
    fn limited(&self) -> Result<u32, std::io::Error> {
        Ok(1)
    }
}

fn main() {}
