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

#[resilient(retries = 3)]
async fn parts((names, last): (Vec<String>, std::cell::Cell<u32>)) -> Result<u32, std::io::Error> {
    names.push(String::new());
    Ok(last.get())
}

fn main() {}
