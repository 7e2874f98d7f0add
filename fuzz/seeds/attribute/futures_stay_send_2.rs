#[resilient(retries = 2, timeout = "1s")]
async fn streamed(names: &[&str]) -> io::Result<usize> {
let mut sum = 0;
for name in names.iter().map(|name| name.trim()) {
    pause().await;
    sum += name.len();
}
Ok(sum)
}
