use resilient::resilient;

pub struct Order(u32);

#[resilient(retries = 3, clone(order))]
fn call(order: Order) -> Result<u32, std::io::Error> {
    Ok(order.0)
}

fn main() {}
