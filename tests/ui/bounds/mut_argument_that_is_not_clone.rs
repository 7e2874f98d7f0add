use resilient::resilient;

pub struct Order(u32);

#[resilient(retries = 3)]
fn call(mut order: Order) -> Result<u32, std::io::Error> {
    order.0 += 1;
    Ok(order.0)
}

#[resilient(retries = 3)]
async fn call_async(mut callback: impl FnMut() -> u32) -> Result<u32, std::io::Error> {
    Ok(callback())
}

fn main() {}
