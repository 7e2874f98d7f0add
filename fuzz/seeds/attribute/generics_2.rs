#[resilient(retries = 2, timeout = "1s")]
async fn coerced(flag: bool) -> io::Result<Box<dyn Fn() -> u32>> {
if flag { Ok(Box::new(|| 1)) } else { Ok(Box::new(|| 2)) }
}
