//! Methods: every receiver, traits, associated types.

use resilient::resilient;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

struct Client {
    name: String,
    calls: u32,
    timeout: Duration,
}

impl Client {
    const RETRIES: u32 = 2;

    #[resilient(retries = Self::RETRIES, timeout = self.timeout)]
    async fn shared(&self, path: &str) -> io::Result<String> {
        Ok(format!("{}{path}", self.name))
    }

    #[resilient(retries = Self::RETRIES, base_delay = self.timeout)]
    fn shared_sync(&self, path: &str) -> io::Result<String> {
        Ok(format!("{}{path}", self.name))
    }

    #[resilient(retries = 2, timeout = "1s")]
    async fn unique(&mut self) -> io::Result<u32> {
        self.calls += 1;
        Ok(self.calls)
    }

    #[resilient(retries = 2)]
    fn unique_sync(&mut self) -> io::Result<u32> {
        self.calls += 1;
        Ok(self.calls)
    }

    #[resilient(retries = 2, timeout = "1s")]
    async fn by_value(self) -> io::Result<usize> {
        Ok(self.name.len())
    }

    #[resilient(retries = 2)]
    fn by_value_sync(self) -> io::Result<usize> {
        Ok(self.name.len())
    }

    #[resilient(retries = 2, timeout = "1s")]
    async fn counted(self: Arc<Self>) -> io::Result<usize> {
        let this = Arc::clone(&self);
        Ok(this.name.len())
    }

    #[resilient(retries = 2, timeout = "1s")]
    async fn boxed(self: Box<Self>) -> io::Result<usize> {
        Ok(self.name.len())
    }

    #[resilient(retries = 2, timeout = "1s", reuse(self))]
    async fn pinned(mut self: Pin<&mut Self>) -> io::Result<u32> {
        self.as_mut().calls += 1;
        Ok(self.calls)
    }

    #[resilient(retries = 2, timeout = "1s")]
    async fn spelled_out(self: &Self, other: &Self) -> io::Result<usize> {
        Ok(self.name.len() + other.name.len())
    }

    #[resilient(retries = 2, timeout = "1s")]
    async fn returns_own(&self, _other: &str) -> io::Result<&str> {
        Ok(&self.name)
    }

    #[resilient(retries = 2)]
    fn returns_own_sync(&self, _other: &str) -> io::Result<&str> {
        Ok(&self.name)
    }

    fn failed(&self, rejected: resilient::Rejected) -> io::Error {
        io::Error::other(format!("{}: {rejected}", self.name))
    }

    fn verdict(&self) -> resilient::Verdict {
        if self.calls > 0 { resilient::Verdict::Success } else { resilient::Verdict::Permanent }
    }

    #[resilient(timeout = "1s", map_err = |rejected| self.failed(rejected))]
    async fn handled(&mut self) -> io::Result<u32> {
        self.calls += 1;
        Ok(self.calls)
    }

    #[resilient(breaker = "methods", classify = |_| self.verdict())]
    fn handled_sync(&mut self) -> io::Result<u32> {
        self.calls += 1;
        Ok(self.calls)
    }

    #[resilient(timeout = "1s", map_err = |rejected| self.failed(rejected))]
    async fn handled_by_value(mut self, tail: String) -> io::Result<String> {
        self.name += &tail;
        Ok(self.name.clone() + &tail)
    }

    #[resilient(breaker = "methods", classify = |_| self.verdict(), map_err = |rejected| self.failed(rejected))]
    fn handled_and_counted(self: Arc<Self>) -> io::Result<usize> {
        Ok(self.name.len())
    }

    #[resilient(timeout = "1s", breaker = "methods", map_err = |rejected| self.failed(rejected))]
    async fn handled_and_returns_other<'a>(&mut self, list: &'a mut Vec<u32>) -> io::Result<&'a mut u32> {
        list.push(self.calls);
        list.last_mut().ok_or_else(|| io::Error::other("empty"))
    }

    #[resilient(breaker = "methods", map_err = |rejected| self.failed(rejected))]
    fn handled_and_returns_other_sync<'a>(&mut self, list: &'a mut Vec<u32>) -> io::Result<&'a mut u32> {
        list.push(self.calls);
        list.last_mut().ok_or_else(|| io::Error::other("empty"))
    }

    #[resilient(retries = 2)]
    fn new(name: &str) -> io::Result<Self> {
        Ok(Self { name: name.to_owned(), calls: 0, timeout: Duration::from_secs(1) })
    }
}

trait Store {
    type Error: From<resilient::Rejected>;

    async fn load(&self, key: &str) -> Result<String, Self::Error>;

    #[resilient(retries = 2, timeout = "1s")]
    async fn load_twice(&self, key: &str) -> Result<String, Self::Error> {
        self.load(key).await?;
        self.load(key).await
    }

    #[resilient(retries = 1)]
    fn describe(&self) -> Result<&'static str, Self::Error> {
        Ok("a store")
    }
}

impl Store for Client {
    type Error = io::Error;

    #[resilient(retries = 2, timeout = "1s")]
    async fn load(&self, key: &str) -> Result<String, Self::Error> {
        Ok(self.name.clone() + key)
    }

    #[resilient(retries = 1, breaker = "describe")]
    fn describe(&self) -> Result<&'static str, Self::Error> {
        Ok("a client")
    }
}

fn is_send<T: Send>(value: T) -> T {
    value
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let mut client = Client::new("ab")?;
    assert_eq!(is_send(client.shared("c")).await?, "abc");
    assert_eq!(client.shared_sync("c")?, "abc");
    assert_eq!(is_send(client.unique()).await?, 1);
    assert_eq!(client.unique_sync()?, 2);
    assert_eq!(is_send(client.spelled_out(&client)).await?, 4);
    assert_eq!(is_send(client.returns_own("")).await?, "ab");
    assert_eq!(client.returns_own_sync("")?, "ab");
    assert_eq!(is_send(Pin::new(&mut client).pinned()).await?, 3);
    assert_eq!(client.load_twice("c").await?, "abc");
    assert_eq!(client.describe()?, "a client");
    assert_eq!((is_send(client.handled()).await?, client.handled_sync()?), (4, 5));
    assert_eq!(*is_send(client.handled_and_returns_other(&mut vec![])).await?, 5);
    assert_eq!(*client.handled_and_returns_other_sync(&mut vec![])?, 5);
    assert_eq!(is_send(Client::new("ab")?.handled_by_value("c".into())).await?, "abcc");
    assert_eq!(Arc::new(Client::new("ab")?).handled_and_counted()?, 2);
    assert_eq!(is_send(Arc::new(Client::new("ab")?).counted()).await?, 2);
    assert_eq!(is_send(Box::new(Client::new("ab")?).boxed()).await?, 2);
    assert_eq!(is_send(Client::new("ab")?.by_value()).await?, 2);
    assert_eq!(client.by_value_sync()?, 2);
    Ok(())
}
