#[resilient(retries = 2, base_delay = "1ms", clone(order), fallback = |_| { drop(other); Ok(order.0) })]
fn cloned_and_given_back(seen: &mut Vec<usize>, order: Order, other: Order) -> Result<u32, Refused> {
seen.push((consume(order) + other.0) as usize);
Err(Refused)
}
