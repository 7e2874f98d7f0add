#[resilient(retries = 2, base_delay = "1ms")]
fn prepared(name: String, mut list: Vec<u32>, seen: &mut Vec<usize>) -> impl Future<Output = io::Result<()>> {
let name = name + "!";
list.push(1);
async move {
    list.push(2);
    seen.push(list.len() + name.len());
    Err(io::Error::other("x"))
}
}
