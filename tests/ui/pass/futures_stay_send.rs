//! A future is `Send` when the body's is, also where an argument is `Send` and not `Sync`.

#![deny(unused_mut)]

use resilient::{Rejected, resilient};
use std::cell::Cell;
use std::fmt::Debug;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;

#[resilient(retries = 2, timeout = "1s")]
async fn cell(cell: Cell<u32>) -> io::Result<u32> {
    Ok(cell.get())
}

#[resilient(retries = 2, timeout = "1s")]
async fn generic<T: Send + Debug>(value: T) -> io::Result<String> {
    Ok(format!("{value:?}"))
}

#[resilient(retries = 2, timeout = "1s")]
async fn generic_by_a_long_name<Payload: Send + Debug>(value: Payload) -> io::Result<String> {
    Ok(format!("{value:?}"))
}

#[resilient(timeout = "1s", fallback = |_| Ok(0))]
async fn generic_in_a_list<Payload>(values: Vec<Payload>) -> io::Result<usize>
where
    Payload: Send + 'static,
{
    Ok(values.len())
}

#[resilient(retries = 2, timeout = "1s")]
async fn part_of_a_part(((cell, _), list): ((Cell<u32>, u32), &mut Vec<Cell<u32>>)) -> io::Result<u32> {
    list.clear();
    pause().await;
    Ok(cell.get())
}

#[resilient(retries = 2, timeout = "1s", reuse(connection))]
async fn reused(mut connection: Connection) -> io::Result<u32> {
    Ok(connection.0.get())
}

#[resilient(timeout = "1s", fallback = |_| Ok(0))]
async fn with_a_fallback(mut connection: Connection) -> io::Result<u32> {
    Ok(connection.0.get())
}

#[resilient(retries = 2, timeout = "1s", clone(connection))]
async fn cloned(connection: Connection) -> io::Result<u32> {
    Ok(connection.0.get())
}

impl Connection {
    #[resilient(retries = 2, timeout = "1s", reuse(self))]
    async fn reused_self(mut self) -> io::Result<u32> {
        Ok(self.0.get())
    }

    #[resilient(timeout = "1s", fallback = |_| Ok(0))]
    async fn self_with_a_fallback(mut self) -> io::Result<u32> {
        Ok(self.0.get())
    }
}

#[resilient(retries = 2, timeout = "1s")]
async fn callback(callback: Box<dyn Fn() -> u32 + Send>) -> io::Result<u32> {
    Ok(callback())
}

#[resilient(retries = 2, timeout = "1s")]
async fn unique_cell(cell: &mut Cell<u32>) -> io::Result<u32> {
    Ok(cell.get())
}

struct Holder {
    cell: Cell<u32>,
}

impl Holder {
    #[resilient(retries = 2, timeout = "1s")]
    async fn unique(&mut self) -> io::Result<u32> {
        self.cell.set(1);
        pause().await;
        Ok(self.cell.get())
    }
}

struct Generic<T>(T);

impl<T: Send + Clone> Generic<T> {
    #[resilient(retries = 2, timeout = "1s")]
    async fn unique(&mut self) -> io::Result<T> {
        pause().await;
        Ok(self.0.clone())
    }
}

async fn pause() {}

/// Nothing in its name says that it may not be shared.
#[derive(Clone)]
struct Connection(Cell<u32>);

impl Holder {
    fn failed(&self, rejected: Rejected, name: &str) -> io::Error {
        io::Error::other(format!("{name}: {rejected} {:?}", self.cell))
    }

    #[resilient(timeout = "1s", map_err = |rejected| self.failed(rejected, name))]
    async fn handled(&mut self, name: &str, connection: Connection) -> io::Result<u32> {
        self.cell.set(1);
        pause().await;
        Ok(self.cell.get() + connection.0.get() + name.len() as u32)
    }
}

struct Named(&'static str);

impl Named {
    #[resilient(timeout = "1s", map_err = |rejected| io::Error::other(format!("{} {name}: {rejected}", self.0)))]
    async fn handled(&self, name: &str, connection: Connection) -> io::Result<u32> {
        connection.0.set(1);
        pause().await;
        Ok(connection.0.get() + (self.0.len() + name.len()) as u32)
    }

    #[resilient(timeout = "1s", map_err = |rejected| io::Error::other(format!("{name}: {rejected}")))]
    async fn handled_aside(self, connection: Connection, name: String) -> io::Result<u32> {
        connection.0.set(1);
        pause().await;
        Ok(connection.0.get() + (self.0.len() + name.len()) as u32)
    }
}

#[resilient(retries = 2, base_delay = "1ms")]
async fn error_that_is_not_send(name: &str) -> Result<u32, Rc<str>> {
    Err(Rc::from(name))
}

#[resilient(retries = 2, timeout = "1s")]
async fn implied(name: impl AsRef<str> + Send) -> io::Result<usize> {
    Ok(name.as_ref().len())
}

#[resilient(retries = 2, timeout = "1s")]
async fn higher_ranked<F: Fn(&str) -> u32 + Send>(name: String, callback: F) -> io::Result<u32> {
    Ok(callback(&name))
}

#[resilient(retries = 2, timeout = "1s")]
async fn streamed(names: &[&str]) -> io::Result<usize> {
    let mut sum = 0;
    for name in names.iter().map(|name| name.trim()) {
        pause().await;
        sum += name.len();
    }
    Ok(sum)
}

#[resilient(retries = 2, timeout = "1s")]
async fn dynamic(writer: Box<dyn Debug + Send + Sync>, list: &mut Vec<Box<dyn Debug + Send>>) -> io::Result<()> {
    list.clear();
    pause().await;
    drop(format!("{writer:?}"));
    Ok(())
}

#[resilient(retries = 2, timeout = "1s")]
async fn outer(name: &str, list: &mut Vec<u32>) -> io::Result<u32> {
    let first = cell(Cell::new(1)).await?;
    list.push(first);
    Ok(first + implied(name).await? as u32)
}

fn boxed<'a>(name: &'a str) -> Pin<Box<dyn Future<Output = io::Result<usize>> + Send + 'a>> {
    Box::pin(implied(name))
}

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> io::Result<()> {
    let connection = || Connection(Cell::new(2));
    assert_eq!(tokio::spawn(cell(Cell::new(1))).await??, 1);
    assert_eq!(tokio::spawn(generic(Cell::new(1))).await??, "Cell { value: 1 }");
    assert_eq!(tokio::spawn(generic_by_a_long_name(Cell::new(1))).await??, "Cell { value: 1 }");
    assert_eq!(tokio::spawn(generic_in_a_list(vec![Cell::new(1)])).await??, 1);
    assert_eq!(tokio::spawn(async { part_of_a_part(((Cell::new(1), 2), &mut vec![])).await }).await??, 1);
    assert_eq!(tokio::spawn(reused(connection())).await??, 2);
    assert_eq!(tokio::spawn(with_a_fallback(connection())).await??, 2);
    assert_eq!(tokio::spawn(cloned(connection())).await??, 2);
    assert_eq!(tokio::spawn(connection().reused_self()).await??, 2);
    assert_eq!(tokio::spawn(connection().self_with_a_fallback()).await??, 2);
    assert_eq!(tokio::spawn(callback(Box::new(|| 1))).await??, 1);
    assert_eq!(tokio::spawn(async { unique_cell(&mut Cell::new(1)).await }).await??, 1);
    assert_eq!(tokio::spawn(async { Holder { cell: Cell::new(0) }.unique().await }).await??, 1);
    assert_eq!(tokio::spawn(async { Generic(Cell::new(1)).0.get() }).await?, 1);
    assert_eq!(tokio::spawn(async { Generic(1).unique().await }).await??, 1);
    assert_eq!(tokio::spawn(async { higher_ranked("ab".into(), |name: &str| name.len() as u32).await }).await??, 2);
    assert_eq!(tokio::spawn(async { streamed(&["a", "b"]).await }).await??, 2);
    tokio::spawn(async { dynamic(Box::new(1), &mut vec![]).await }).await??;
    assert_eq!(tokio::spawn(async { outer("ab", &mut vec![]).await }).await??, 3);
    assert_eq!(tokio::spawn(boxed("ab")).await??, 2);
    assert_eq!(tokio::spawn(async { Holder { cell: Cell::new(0) }.handled("ab", Connection(Cell::new(2))).await }).await??, 5);
    assert_eq!(tokio::spawn(async { Named("a").handled("ab", Connection(Cell::new(2))).await }).await??, 4);
    assert_eq!(tokio::spawn(Named("a").handled_aside(connection(), "ab".into())).await??, 4);
    assert!(error_that_is_not_send("x").await.is_err());
    Ok(())
}
