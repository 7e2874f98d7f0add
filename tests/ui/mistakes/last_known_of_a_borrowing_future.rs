use resilient::resilient;
use std::future::Future;
use std::io;

#[resilient(breaker = "known", fallback = last_known("1m"))]
fn call(name: &str) -> impl Future<Output = io::Result<&str>> {
    async move { Ok(name) }
}

fn main() {}
