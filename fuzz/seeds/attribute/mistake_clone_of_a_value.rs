#[resilient(retries = 3, clone = order)]
fn call(order: String, mut buffer: Vec<u8>) -> Result<usize, std::io::Error> {
buffer.push(1);
Ok(order.len() + buffer.len())
}
