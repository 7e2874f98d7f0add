#[resilient(retries = 1, base_delay = "1ms", timeout = "1s")]
async fn unique_and_mut_async(mut list: &mut Vec<u32>, mut slice: &[u32]) -> Result<(), Refused> {
list.push(slice.len() as u32);
slice = &slice[1..];
let mut own = vec![];
if slice.is_empty() {
    list = &mut own;
}
list.push(slice.len() as u32);
Err(Refused)
}
