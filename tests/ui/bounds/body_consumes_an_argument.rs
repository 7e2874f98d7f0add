use resilient::resilient;

pub struct Order(u32);

fn consume(order: Order) -> u32 {
    order.0
}

#[resilient(retries = 3)]
fn call(order: Order) -> Result<u32, std::io::Error> {
    Ok(consume(order))
}

#[resilient(retries = 3)]
async fn call_async(to: String) -> Result<u32, std::io::Error> {
    Ok(async move { to.len() as u32 }.await)
}

#[resilient(retries = 3)]
async fn in_part((order, name): (Order, String)) -> Result<u32, std::io::Error> {
    drop(name);
    Ok(order.0)
}

impl Order {
    #[resilient(retries = 3)]
    async fn by_value(self) -> Result<u32, std::io::Error> {
        Ok(consume(self))
    }
}

fn main() {}
