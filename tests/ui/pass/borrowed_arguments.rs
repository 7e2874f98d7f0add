//! Arguments that the body only borrows need nothing: no `Clone`, no key.

use resilient::{Rejected, resilient};
use std::io;
use std::sync::Arc;

struct NoClone(u32);

#[derive(Clone, Copy)]
struct Point {
    x: u32,
    y: u32,
}

struct Meters(u32);

#[resilient(retries = 2, timeout = "1s", breaker = "pass")]
async fn references(name: &str, bytes: &[u8], number: &u32) -> io::Result<u32> {
    Ok(u32::from(bytes[0]) + number + name.len() as u32)
}

#[resilient(retries = 2, breaker = "pass")]
fn references_sync(name: &str, bytes: &[u8], number: &u32) -> io::Result<u32> {
    Ok(u32::from(bytes[0]) + number + name.len() as u32)
}

#[resilient(retries = 2, timeout = "1s")]
async fn copies(a: u32, b: char, point: Point) -> io::Result<u32> {
    Ok(a + b as u32 + point.x + point.y)
}

#[resilient(retries = 2)]
fn copies_sync(a: u32, b: char, point: Point) -> io::Result<u32> {
    Ok(a + b as u32 + point.x + point.y)
}

#[resilient(retries = 2, timeout = "1s")]
async fn owned(name: String, list: Vec<u32>) -> io::Result<usize> {
    Ok(name.len() + list.len())
}

#[resilient(retries = 2)]
fn owned_sync(name: String, list: Vec<u32>) -> io::Result<usize> {
    Ok(name.len() + list.len())
}

#[resilient(retries = 2, timeout = "1s")]
async fn not_clone(value: NoClone, boxed: Box<dyn Fn() -> u32 + Send>) -> io::Result<u32> {
    Ok(value.0 + boxed())
}

#[resilient(retries = 2)]
fn not_clone_sync(value: NoClone, boxed: Box<dyn Fn() -> u32>) -> io::Result<u32> {
    Ok(value.0 + boxed())
}

#[resilient(retries = 2, timeout = "1s")]
async fn patterns((a, b): (String, u32), Meters(m): Meters, Point { x, y: up }: Point, [f, .., l]: [u32; 3]) -> io::Result<u32> {
    Ok(a.len() as u32 + b + m + x + up + f + l)
}

#[resilient(retries = 2)]
fn patterns_sync((a, b): (String, u32), Meters(m): Meters, Point { x, y: up }: Point, [f, .., l]: [u32; 3]) -> io::Result<u32> {
    Ok(a.len() as u32 + b + m + x + up + f + l)
}

#[resilient(retries = 2, timeout = "1s")]
async fn patterns_through_references((a, b): &(String, u32), &c: &u32, (d, _): &mut (Vec<u32>, u32)) -> io::Result<u32> {
    d.push(*b);
    Ok(a.len() as u32 + b + c)
}

#[resilient(retries = 2, timeout = "1s")]
async fn by_reference(ref name: String, ref mut list: Vec<u32>) -> io::Result<usize> {
    list.push(1);
    Ok(name.len() + list.len())
}

#[resilient(retries = 2)]
fn by_reference_sync(ref name: String, ref mut list: Vec<u32>) -> io::Result<usize> {
    list.push(1);
    Ok(name.len() + list.len())
}

#[resilient(retries = 2, timeout = "1s")]
async fn unnamed(_: NoClone, _guard: NoClone, __: u32) -> io::Result<()> {
    Ok(())
}

#[resilient(retries = 2, timeout = "1s")]
async fn unique(list: &mut Vec<u32>) -> io::Result<usize> {
    list.push(1);
    Ok(list.len())
}

#[resilient(retries = 2)]
fn unique_sync(list: &mut Vec<u32>) -> io::Result<usize> {
    list.push(1);
    Ok(list.len())
}

async fn inner(list: &mut Vec<u32>) -> io::Result<usize> {
    list.push(2);
    Ok(list.len())
}

#[resilient(retries = 2, timeout = "1s")]
async fn unique_passed_on(list: &mut Vec<u32>) -> io::Result<usize> {
    inner(list).await
}

#[resilient(retries = 2, timeout = "1s")]
async fn returns_borrowed<'a, T: AsRef<str> + ?Sized>(text: &'a T, _other: &u32) -> io::Result<&'a str> {
    Ok(text.as_ref())
}

#[resilient(retries = 2)]
fn returns_borrowed_sync<'a, T: AsRef<str> + ?Sized>(text: &'a T, _other: &u32) -> io::Result<&'a str> {
    Ok(text.as_ref())
}

#[resilient(retries = 2, timeout = "1s")]
async fn shared(pool: Arc<NoClone>) -> io::Result<u32> {
    let pool = Arc::clone(&pool);
    Ok(pool.0)
}

#[resilient(retries = 2, timeout = "1s")]
async fn in_a_format_string(name: String) -> Result<String, Rejected> {
    Ok(format!("{name:>10}"))
}

fn main() {
    let _ = references_sync("a", &[1], &2);
    let _ = copies_sync(1, 'a', Point { x: 1, y: 2 });
    let _ = owned_sync(String::new(), vec![]);
    let _ = not_clone_sync(NoClone(1), Box::new(|| 1));
    let _ = patterns_sync((String::new(), 1), Meters(1), Point { x: 1, y: 2 }, [1, 2, 3]);
    let _ = by_reference_sync(String::new(), vec![]);
    let _ = unique_sync(&mut vec![]);
    let _ = returns_borrowed_sync("a", &1);
    let _ = (references("a", &[1], &2), copies(1, 'a', Point { x: 1, y: 2 }), owned(String::new(), vec![]));
    let _ = not_clone(NoClone(1), Box::new(|| 1));
    let _ = patterns((String::new(), 1), Meters(1), Point { x: 1, y: 2 }, [1, 2, 3]);
    let _ = patterns_through_references(&(String::new(), 1), &1, &mut (vec![], 1));
    let _ = by_reference(String::new(), vec![]);
    let _ = unnamed(NoClone(1), NoClone(2), 3);
    let _ = (unique(&mut vec![]), unique_passed_on(&mut vec![]), returns_borrowed("a", &1));
    let _ = (shared(Arc::new(NoClone(1))), in_a_format_string(String::new()));
}
