//! `fn` that returns a future: the block at its end is what is tried again.

use resilient::resilient;
use std::future::Future;
use std::io;
use std::pin::Pin;

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[resilient(retries = 2, timeout = "1s")]
fn opaque(name: String) -> impl Future<Output = io::Result<usize>> + Send {
    async move { Ok(name.len()) }
}

#[resilient(retries = 2, timeout = "1s")]
fn borrowed<'a>(name: &'a str, list: &'a mut Vec<u32>) -> impl Future<Output = io::Result<usize>> + Send + 'a {
    async move {
        list.push(1);
        Ok(name.len())
    }
}

#[resilient(retries = 2, timeout = "1s")]
fn pinned(name: &str) -> Pin<Box<dyn Future<Output = io::Result<usize>> + Send + '_>> {
    Box::pin(async move { Ok(name.len()) })
}

#[resilient(retries = 2, timeout = "1s")]
fn named(name: &str) -> BoxFuture<'_, io::Result<usize>> {
    Box::pin(async move {
        let length = name.len();
        Ok(length)
    })
}

#[resilient(retries = 2, base_delay = "1ms")]
fn prepared(name: String, mut list: Vec<u32>, seen: &mut Vec<usize>) -> impl Future<Output = io::Result<()>> {
    let name = name + "!";
    list.push(1);
    async move {
        list.push(2);
        seen.push(list.len() + name.len());
        Err(io::Error::other("x"))
    }
}

struct Client {
    name: String,
}

impl Client {
    #[resilient(retries = 2, timeout = "1s")]
    fn get(&self) -> impl Future<Output = io::Result<&str>> {
        async move { Ok(self.name.as_str()) }
    }

    #[resilient(timeout = "1s", breaker = "once")]
    fn once(self, value: String) -> impl Future<Output = io::Result<String>> {
        async move { Ok(self.name + &value) }
    }
}

trait Api {
    fn call(&self) -> impl Future<Output = io::Result<u32>> + Send;
}

impl Api for u32 {
    #[resilient(retries = 2, timeout = "1s")]
    fn call(&self) -> impl Future<Output = io::Result<u32>> + Send {
        async move { Ok(*self) }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    assert_eq!(opaque("ab".into()).await?, 2);
    assert_eq!(borrowed("ab", &mut vec![]).await?, 2);
    assert_eq!(pinned("ab").await?, 2);
    assert_eq!(named("ab").await?, 2);
    let mut seen = vec![];
    assert!(prepared("a".into(), vec![], &mut seen).await.is_err());
    assert_eq!(seen, [4, 4, 4]);
    let client = Client { name: "ab".into() };
    assert_eq!(client.get().await?, "ab");
    assert_eq!(client.once("c".into()).await?, "abc");
    assert_eq!(7.call().await?, 7);
    Ok(())
}
