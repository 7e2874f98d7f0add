#[resilient(retries = 2)]
fn pair<U>(&self, other: U) -> io::Result<(T, usize)>
where
    U: AsRef<[u8]>,
{
    Ok((self.0.clone(), other.as_ref().len()))
}
