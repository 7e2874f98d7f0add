//! Over and under other attributes.

use async_trait::async_trait;
use resilient::resilient;
use std::io;

#[async_trait]
trait Store: Send + Sync {
    async fn load(&self, key: &str, mut list: Vec<u32>) -> io::Result<usize>;

    async fn count(&mut self, callback: Box<dyn Fn() -> u32 + Send>) -> io::Result<u32>;

    #[resilient(retries = 2, timeout = "1s")]
    async fn described(&self, (name, mut n): (String, u32)) -> Result<String, io::Error> {
        n += 1;
        Ok(format!("{name}{n}{}", self.load("", vec![]).await?))
    }

    #[resilient(concurrency = 2, max_wait = none)]
    async fn nothing(&self) {}
}

struct Memory {
    name: String,
    calls: u32,
    timeout: std::time::Duration,
}

#[async_trait]
impl Store for Memory {
    #[resilient(retries = 2, timeout = self.timeout)]
    async fn load(&self, key: &str, mut list: Vec<u32>) -> io::Result<usize> {
        list.push(1);
        Ok(self.name.len() + key.len() + list.len())
    }

    #[resilient(retries = 1, base_delay = "1ms", reuse(self), fallback = |_| Ok(self.calls))]
    async fn count(&mut self, callback: Box<dyn Fn() -> u32 + Send>) -> io::Result<u32> {
        self.calls += callback();
        Err(io::Error::other("x"))
    }
}

#[async_trait]
trait Consume {
    async fn consume(self, name: String) -> io::Result<String>;
    async fn shared(self: std::sync::Arc<Self>, name: &str) -> io::Result<String>;
    async fn cloned(&self, name: String) -> io::Result<String>;
    async fn without_self(name: String, other: &str) -> io::Result<usize>;
}

#[async_trait]
impl Consume for Memory {
    #[resilient(timeout = "1s")]
    async fn consume(mut self, name: String) -> io::Result<String> {
        self.name.push_str(&name);
        Ok(self.name)
    }

    #[resilient(retries = 1, timeout = "1s")]
    async fn shared(self: std::sync::Arc<Self>, name: &str) -> io::Result<String> {
        Ok(self.name.clone() + name)
    }

    #[resilient(retries = 1, timeout = "1s", clone(name))]
    async fn cloned(&self, name: String) -> io::Result<String> {
        Ok(name + &self.name)
    }

    #[resilient(retries = 1, timeout = "1s")]
    async fn without_self(name: String, other: &str) -> io::Result<usize> {
        Ok(name.len() + other.len())
    }
}

#[resilient(retries = 2, timeout = "1s")]
#[tracing::instrument]
async fn above_instrument(name: &str, list: Vec<u32>) -> io::Result<usize> {
    Ok(name.len() + list.len())
}

#[tracing::instrument]
#[resilient(retries = 2, timeout = "1s")]
async fn below_instrument(name: &str) -> io::Result<usize> {
    Ok(name.len())
}

#[tracing::instrument(err)]
#[resilient(retries = 2)]
fn below_instrument_sync(name: &str) -> io::Result<usize> {
    Ok(name.len())
}

#[resilient(retries = 2, base_delay = "1ms")]
#[tokio::main(flavor = "current_thread")]
async fn above_tokio_main() -> io::Result<u32> {
    Ok(1)
}

#[tokio::main(flavor = "current_thread")]
#[resilient(retries = 2, base_delay = "1ms")]
async fn below_tokio_main() -> io::Result<u32> {
    Ok(2)
}

#[tokio::test]
#[resilient(retries = 2, base_delay = "1ms")]
async fn below_test() -> io::Result<()> {
    Ok(())
}

#[resilient(retries = 2, base_delay = "1ms")]
#[tokio::test]
async fn above_tokio_test() -> io::Result<()> {
    Ok(())
}

#[resilient(retries = 2, base_delay = "1ms")]
#[test]
fn above_test() -> io::Result<()> {
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn run() -> io::Result<()> {
    let memory = || Memory { name: "ab".into(), calls: 0, timeout: std::time::Duration::from_secs(1) };
    assert_eq!(memory().load("c", vec![]).await?, 4);
    assert_eq!(memory().count(Box::new(|| 1)).await?, 2);
    assert_eq!(memory().described(("x".into(), 1)).await?, "x23");
    memory().nothing().await;
    assert_eq!(memory().consume("c".into()).await?, "abc");
    assert_eq!(std::sync::Arc::new(memory()).shared("c").await?, "abc");
    assert_eq!(memory().cloned("c".into()).await?, "cab");
    assert_eq!(Memory::without_self("c".into(), "d").await?, 2);
    assert_eq!(above_instrument("ab", vec![]).await?, 2);
    assert_eq!(below_instrument("ab").await?, 2);
    assert_eq!(below_instrument_sync("ab")?, 2);
    Ok(())
}

fn main() -> io::Result<()> {
    run()?;
    assert_eq!((above_tokio_main()?, below_tokio_main()?), (1, 2));
    Ok(())
}
