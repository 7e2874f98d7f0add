use resilient::{Rejected, resilient};
use std::rc::Rc;

struct NoClone;

#[resilient(breaker = "no clone", fallback = last_known("10m"))]
fn not_clone() -> Result<NoClone, Rejected> {
    Ok(NoClone)
}

#[resilient(fallback = last_known("10m"))]
async fn not_send() -> Result<Rc<u32>, String> {
    Ok(Rc::new(1))
}

#[resilient(fallback = last_known("10m"))]
fn unbound<T>(value: T) -> Result<T, String> {
    Ok(value)
}

fn main() {}
