use resilient::resilient;

use std::future::Future;

#[resilient(retries = 3)]
fn call() -> impl Future<Output = Result<u32, std::io::Error>> {
    std::future::ready(Ok(1))
}

fn main() {}
