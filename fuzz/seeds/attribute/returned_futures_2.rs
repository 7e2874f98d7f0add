#[resilient(retries = 2, timeout = "1s")]
fn borrowed<'a>(name: &'a str, list: &'a mut Vec<u32>) -> impl Future<Output = io::Result<usize>> + Send + 'a {
async move {
    list.push(1);
    Ok(name.len())
}
}
