#[resilient(timeout = "1s")]
async fn returns_unique(list: &mut Vec<u32>) -> io::Result<&mut u32> {
list.push(1);
list.last_mut().ok_or_else(|| io::Error::other("empty"))
}
