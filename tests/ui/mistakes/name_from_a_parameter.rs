use resilient::resilient;
use std::io;

#[resilient(breaker = host)]
fn breaker(host: &'static str) -> io::Result<usize> {
    Ok(host.len())
}

#[resilient(breaker(name = host))]
fn breaker_with_settings(host: &'static str) -> io::Result<usize> {
    Ok(host.len())
}

#[resilient(bulkhead = host)]
fn bulkhead(host: &'static str) -> io::Result<usize> {
    Ok(host.len())
}

#[resilient(rate = 10, burst = many)]
fn burst(many: u32) -> io::Result<u32> {
    Ok(many)
}

#[resilient(retries = 1, budget = host)]
fn budget(host: &'static str) -> io::Result<usize> {
    Ok(host.len())
}

fn main() {}
