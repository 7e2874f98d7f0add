use resilient::resilient;

struct Order {
    lines: Vec<u32>,
}

#[resilient(retries = 3)]
async fn call(order: Order, names: Vec<String>) -> Result<usize, std::io::Error> {
    order.lines.push(1);
    names.push(String::new());
    Ok(order.lines.len())
}

fn main() {}
