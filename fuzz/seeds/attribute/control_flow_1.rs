#[resilient(retries = 2, timeout = "1s")]
async fn loops(limit: u32) -> io::Result<u32> {
let mut sum = 0;
let found = 'outer: loop {
    for step in 0.. {
        if step > limit {
            break 'outer sum;
        }
        if step % 2 == 0 {
            continue;
        }
        sum += step;
    }
};
Ok(found)
}
