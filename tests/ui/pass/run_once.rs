//! Without `retries` there is no loop: the body may consume its arguments and return `&mut` borrowed from them.

use resilient::resilient;
use std::io;

struct NoClone(Vec<u32>);

fn consume(value: NoClone) -> usize {
    value.0.len()
}

#[resilient(timeout = "1s", deadline = "2s")]
async fn consumes(value: NoClone) -> io::Result<usize> {
    Ok(consume(value))
}

#[resilient(breaker = "once")]
fn consumes_sync(value: NoClone) -> io::Result<usize> {
    Ok(consume(value))
}

#[resilient(rate = 1000, burst = 10)]
fn takes_apart((NoClone(list), name): (NoClone, String)) -> io::Result<(Vec<u32>, String)> {
    Ok((list, name))
}

#[resilient(timeout = "1s")]
async fn returns_unique(list: &mut Vec<u32>) -> io::Result<&mut u32> {
    list.push(1);
    list.last_mut().ok_or_else(|| io::Error::other("empty"))
}

#[resilient(concurrency = 4)]
fn returns_unique_sync(list: &mut Vec<u32>) -> io::Result<&mut u32> {
    list.push(1);
    list.last_mut().ok_or_else(|| io::Error::other("empty"))
}

impl NoClone {
    #[resilient(timeout = "1s")]
    async fn into_list(mut self) -> io::Result<Vec<u32>> {
        self.0.push(1);
        Ok(self.0)
    }

    #[resilient(bulkhead = "list")]
    fn into_list_sync(mut self) -> io::Result<Vec<u32>> {
        self.0.push(1);
        Ok(self.0)
    }

    #[resilient(timeout = "1s")]
    async fn first(&mut self) -> io::Result<&mut u32> {
        self.0.first_mut().ok_or_else(|| io::Error::other("empty"))
    }

    #[resilient(breaker = "once")]
    fn first_sync(&mut self) -> io::Result<&mut u32> {
        self.0.first_mut().ok_or_else(|| io::Error::other("empty"))
    }
}

#[resilient(timeout = "1s")]
async fn not_clone_and_mut(mut value: NoClone) -> io::Result<usize> {
    value.0.push(1);
    Ok(value.0.len())
}

#[resilient(timeout = "1s", fallback = |_| Ok(spare.0.len()))]
async fn spare(value: NoClone, spare: NoClone) -> io::Result<usize> {
    Err(io::Error::other(consume(value).to_string()))
}

#[resilient(rate = 1000, max_wait = none)]
fn plain(value: NoClone) -> usize {
    consume(value)
}

#[resilient(concurrency = 4, max_wait = none)]
async fn plain_async(value: NoClone) -> usize {
    consume(value)
}

#[resilient(concurrency = 4, max_wait = none)]
fn nothing(list: &mut Vec<u32>) {
    list.push(1);
}

#[resilient(bucket = "nothing", rate = 1000, max_wait = none)]
async fn nothing_async(list: &mut Vec<u32>) {
    list.push(1);
}

#[resilient(concurrency = 4, fallback = |_| 0)]
fn plain_with_fallback(value: NoClone) -> usize {
    consume(value)
}

#[resilient(timeout = "1s", breaker = "once", fallback = |_| None)]
async fn optional(list: &[u32]) -> Option<u32> {
    list.first().copied()
}

#[resilient(fallback = |failure| match failure {
    resilient::Failure::Error(error) => Err(format!("{error}!")),
    _ => Err(name),
})]
fn only_fallback(name: String) -> Result<u32, String> {
    Err(name.clone())
}

fn zero(_: resilient::Failure<io::Error>) -> io::Result<u32> {
    Ok(0)
}

#[resilient(timeout = "1s", fallback = zero)]
async fn by_path() -> io::Result<u32> {
    Err(io::Error::other("x"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let value = || NoClone(vec![7]);
    assert_eq!((consumes(value()).await?, consumes_sync(value())?), (1, 1));
    assert_eq!(takes_apart((value(), "a".into()))?, (vec![7], "a".into()));
    let mut list = vec![];
    *returns_unique(&mut list).await? = 3;
    *returns_unique_sync(&mut list)? = 4;
    assert_eq!(list, [3, 4]);
    assert_eq!(value().into_list().await?, [7, 1]);
    assert_eq!(value().into_list_sync()?, [7, 1]);
    assert_eq!(*value().first().await?, 7);
    assert_eq!(*value().first_sync()?, 7);
    assert_eq!(not_clone_and_mut(value()).await?, 2);
    assert_eq!(spare(value(), NoClone(vec![])).await?, 0);
    assert_eq!((plain(value()), plain_async(value()).await, plain_with_fallback(value())), (1, 1, 1));
    nothing(&mut list);
    nothing_async(&mut list).await;
    assert_eq!(list.len(), 4);
    assert_eq!(optional(&[1]).await, Some(1));
    assert_eq!(only_fallback("a".into()), Err("a!".into()));
    assert_eq!(by_path().await?, 0);
    Ok(())
}
