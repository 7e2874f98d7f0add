use resilient::resilient;

use std::future::Future;

#[resilient(retries = 3)]
fn call() -> impl Future<Output = Result<u32, std::io::Error>> {
    std::future::ready(Ok(1))
}

#[resilient(retries = 3)]
fn chosen(first: bool) -> impl Future<Output = Result<u32, std::io::Error>> {
    match first {
        true => std::future::ready(Ok(1)),
        false => std::future::ready(Ok(2)),
    }
}

fn main() {}
