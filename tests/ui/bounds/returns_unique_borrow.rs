use resilient::resilient;

#[resilient(retries = 3)]
async fn call_async(list: &mut Vec<u32>) -> Result<&mut u32, std::io::Error> {
    Ok(&mut list[0])
}

#[resilient(retries = 3)]
fn call(list: &mut Vec<u32>) -> Result<&mut u32, std::io::Error> {
    Ok(&mut list[0])
}

fn main() {}
