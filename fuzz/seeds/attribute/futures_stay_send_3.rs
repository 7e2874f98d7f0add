#[resilient(retries = 2, timeout = "1s")]
async fn outer(name: &str, list: &mut Vec<u32>) -> io::Result<u32> {
let first = cell(Cell::new(1)).await?;
list.push(first);
Ok(first + implied(name).await? as u32)
}
