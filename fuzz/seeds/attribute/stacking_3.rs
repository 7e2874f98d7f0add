#[resilient(retries = 2, timeout = self.timeout)]
async fn load(&self, key: &str, mut list: Vec<u32>) -> io::Result<usize> {
    list.push(1);
    Ok(self.name.len() + key.len() + list.len())
}
