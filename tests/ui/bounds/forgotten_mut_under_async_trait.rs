use resilient::resilient;

struct Order {
    lines: Vec<u32>,
}

#[async_trait::async_trait]
trait Store {
    async fn call(&self, order: Order, (names, count): (Vec<String>, u32)) -> Result<u32, std::io::Error>;
}

#[async_trait::async_trait]
impl Store for u32 {
    #[resilient(retries = 3)]
    async fn call(&self, order: Order, (names, count): (Vec<String>, u32)) -> Result<u32, std::io::Error> {
        order.lines.push(1);
        names.push(String::new());
        Ok(*self + count)
    }
}

fn main() {}
