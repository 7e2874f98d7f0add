#[resilient(retries = 2, timeout = "1s")]
async fn patterns_through_references((a, b): &(String, u32), &c: &u32, (d, _): &mut (Vec<u32>, u32)) -> io::Result<u32> {
d.push(*b);
Ok(a.len() as u32 + b + c)
}
