#[resilient(retries = 2, timeout = "1s")]
async fn dynamic(writer: Box<dyn Debug + Send + Sync>, list: &mut Vec<Box<dyn Debug + Send>>) -> io::Result<()> {
list.clear();
pause().await;
drop(format!("{writer:?}"));
Ok(())
}
