use resilient::resilient;

#[resilient(retries = 3, clone(buffer), reuse(buffer))]
fn call(order: String, mut buffer: Vec<u8>) -> Result<usize, std::io::Error> {
    buffer.push(1);
    Ok(order.len() + buffer.len())
}

fn main() {}
