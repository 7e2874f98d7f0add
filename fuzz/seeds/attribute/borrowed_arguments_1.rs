#[resilient(retries = 2, timeout = "1s")]
async fn patterns((a, b): (String, u32), Meters(m): Meters, Point { x, y: up }: Point, [f, .., l]: [u32; 3]) -> io::Result<u32> {
Ok(a.len() as u32 + b + m + x + up + f + l)
}
