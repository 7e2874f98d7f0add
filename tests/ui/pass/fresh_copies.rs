//! A `mut` parameter is a fresh copy in each attempt, unless it is reused; `clone(…)` clones what the body consumes.

use resilient::{Failure, Rejected, resilient};

#[derive(Debug)]
struct Refused;

impl From<Rejected> for Refused {
    fn from(_: Rejected) -> Self {
        Self
    }
}

struct NoClone;

#[derive(Clone)]
struct Order(u32);

fn consume(order: Order) -> u32 {
    order.0
}

#[resilient(retries = 2, base_delay = "1ms")]
fn fresh(seen: &mut Vec<usize>, mut list: Vec<u32>) -> Result<(), Refused> {
    seen.push(list.len());
    list.push(1);
    Err(Refused)
}

#[resilient(retries = 2, base_delay = "1ms", timeout = "1s")]
async fn fresh_async(seen: &mut Vec<usize>, mut list: Vec<u32>) -> Result<(), Refused> {
    seen.push(list.len());
    list.push(1);
    Err(Refused)
}

#[resilient(retries = 2, base_delay = "1ms")]
fn fresh_in_a_pattern(seen: &mut Vec<usize>, (mut list, _n): (Vec<u32>, u32)) -> Result<(), Refused> {
    seen.push(list.len());
    list.push(1);
    Err(Refused)
}

#[resilient(retries = 2, base_delay = "1ms", timeout = "1s")]
async fn fresh_in_a_pattern_async(seen: &mut Vec<usize>, (mut list, n): (Vec<u32>, u32)) -> Result<(), Refused> {
    seen.push(list.len());
    list.push(n);
    Err(Refused)
}

#[resilient(retries = 2, base_delay = "1ms", reuse(list, guard))]
fn reused(seen: &mut Vec<usize>, mut list: Vec<u32>, mut guard: Option<NoClone>) -> Result<(), Refused> {
    guard.take();
    seen.push(list.len());
    list.push(1);
    Err(Refused)
}

#[resilient(retries = 2, base_delay = "1ms", timeout = "1s", reuse(list, guard))]
async fn reused_async(seen: &mut Vec<usize>, mut list: Vec<u32>, mut guard: Option<NoClone>) -> Result<(), Refused> {
    guard.take();
    seen.push(list.len());
    list.push(1);
    Err(Refused)
}

#[resilient(retries = 2, base_delay = "1ms", clone(order, unused))]
fn cloned(seen: &mut Vec<usize>, order: Order, unused: Order) -> Result<(), Refused> {
    drop(unused);
    seen.push(consume(order) as usize);
    Err(Refused)
}

#[resilient(retries = 2, base_delay = "1ms", timeout = "1s", clone(order, list))]
async fn cloned_async(seen: &mut Vec<usize>, order: Order, mut list: Vec<u32>) -> Result<(), Refused> {
    list.push(1);
    drop(list);
    seen.push(consume(order) as usize);
    Err(Refused)
}

#[resilient(retries = 2, base_delay = "1ms", clone(order), fallback = |_| { drop(other); Ok(order.0) })]
fn cloned_and_given_back(seen: &mut Vec<usize>, order: Order, other: Order) -> Result<u32, Refused> {
    seen.push((consume(order) + other.0) as usize);
    Err(Refused)
}

#[resilient(retries = 1, base_delay = "1ms", timeout = "1s", clone(order), fallback = |failure| match failure {
    Failure::Error(Refused) => later(order).await,
    _ => Err(Refused),
})]
async fn cloned_and_given_back_async(order: Order) -> Result<u32, Refused> {
    consume(order);
    Err(Refused)
}

async fn later(order: Order) -> Result<u32, Refused> {
    Ok(order.0)
}

#[resilient(retries = 1, base_delay = "1ms")]
fn unique_and_mut(mut list: &mut Vec<u32>, mut slice: &[u32], other: &mut Vec<u32>) -> Result<(), Refused> {
    list.push(slice.len() as u32);
    slice = &slice[1..];
    list = other;
    list.push(slice.len() as u32);
    Err(Refused)
}

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

struct Counter(u32);

impl Counter {
    #[resilient(retries = 2, base_delay = "1ms", reuse(self))]
    fn reused_self(mut self, seen: &mut Vec<usize>) -> Result<(), Refused> {
        self.0 += 1;
        seen.push(self.0 as usize);
        Err(Refused)
    }

    #[resilient(retries = 2, base_delay = "1ms", timeout = "1s", reuse(self))]
    async fn reused_self_async(mut self, seen: &mut Vec<usize>) -> Result<(), Refused> {
        self.0 += 1;
        seen.push(self.0 as usize);
        Err(Refused)
    }
}

fn seen(run: impl FnOnce(&mut Vec<usize>)) -> Vec<usize> {
    let mut seen = Vec::new();
    run(&mut seen);
    seen
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert_eq!(seen(|seen| drop(fresh(seen, vec![]))), [0, 0, 0]);
    assert_eq!(seen(|seen| drop(fresh_in_a_pattern(seen, (vec![], 1)))), [0, 0, 0]);
    assert_eq!(seen(|seen| drop(reused(seen, vec![], Some(NoClone)))), [0, 1, 2]);
    assert_eq!(seen(|seen| drop(cloned(seen, Order(7), Order(8)))), [7, 7, 7]);
    assert_eq!(seen(|seen| drop(Counter(0).reused_self(seen))), [1, 2, 3]);
    assert_eq!(seen(|seen| assert_eq!(cloned_and_given_back(seen, Order(7), Order(1)).unwrap(), 7)), [8, 8, 8]);

    let mut list = Vec::new();
    let _ = unique_and_mut(&mut list, &[1, 2], &mut vec![]);
    assert_eq!(list, [2, 2]);
    let _ = unique_and_mut_async(&mut list, &[1, 2]).await;
    assert_eq!(list, [2, 2, 2, 1, 2, 1]);

    let mut seen = Vec::new();
    let _ = fresh_async(&mut seen, vec![]).await;
    let _ = fresh_in_a_pattern_async(&mut seen, (vec![], 1)).await;
    assert_eq!(seen, [0; 6]);
    seen.clear();
    let _ = reused_async(&mut seen, vec![], Some(NoClone)).await;
    let _ = Counter(0).reused_self_async(&mut seen).await;
    assert_eq!(seen, [0, 1, 2, 1, 2, 3]);
    seen.clear();
    let _ = cloned_async(&mut seen, Order(7), vec![]).await;
    assert_eq!(seen, [7, 7, 7]);
    assert_eq!(cloned_and_given_back_async(Order(9)).await.unwrap(), 9);
}

