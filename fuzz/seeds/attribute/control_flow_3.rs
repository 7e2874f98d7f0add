#[resilient(retries = 2, timeout = "1s")]
async fn closures(name: &str, list: Vec<u32>) -> io::Result<usize> {
let async_block = async { name.len() };
let closure = async |extra: usize| extra + list.len();
let plain = || list.len() + name.len();
Ok(async_block.await + closure(1).await + plain())
}
