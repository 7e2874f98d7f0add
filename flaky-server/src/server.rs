use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::answer::Answer;
use crate::connection::Connection;
use crate::error::Error;
use crate::ledger::Ledger;
use crate::record::Record;
use crate::request::Request;
use crate::script::Reply;
use crate::valid;

/// Long enough for a connection to end when the process is out of file descriptors.
const PAUSE_AFTER_A_FAILED_ACCEPT: Duration = Duration::from_millis(10);

/// A running server; dropping it ends every connection and the server's thread.
///
/// A path answers, in this order of precedence: its [`outage`](Self::outage), the next of its
/// [`script`](Self::script), its [`otherwise`](Self::otherwise) or [`respond`](Self::respond), whichever was said last,
/// `200 {"ok":true}`. The query plays no part, except for what `respond` makes of it.
#[derive(Debug)]
pub struct FlakyServer {
    address: SocketAddr,
    ledger: Arc<Ledger>,
    running: Option<Running>,
}

/// The server's thread, which ends once `stop` is dropped.
#[derive(Debug)]
struct Running {
    stop: oneshot::Sender<Infallible>,
    thread: JoinHandle<()>,
}

impl FlakyServer {
    /// Starts a server on a free port of 127.0.0.1; it is ready when this returns.
    ///
    /// # Errors
    ///
    /// [`Error::Start`] if the system has no port or thread to give.
    pub fn start() -> Result<Self, Error> {
        let ledger = Arc::default();
        let (address, running) = run(&ledger).map_err(Error::Start)?;
        Ok(Self { address, ledger, running: Some(running) })
    }

    /// Gives the next requests to a path these answers, in order, one each.
    ///
    /// What was left of an earlier script is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::Path`] if no request can have the path, and an error for the first answer that cannot be sent. Nothing
    /// has changed then.
    ///
    /// ```
    /// # use flaky_server::{Answer, Error, FlakyServer};
    /// # fn main() -> Result<(), Error> {
    /// let server = FlakyServer::start()?;
    /// server.script("/receipt", [Answer::status(502), Answer::never()])?;
    /// assert!(matches!(server.script("receipt", []), Err(Error::Path(_))));
    /// # Ok(())
    /// # }
    /// ```
    pub fn script(&self, path: &str, answers: impl IntoIterator<Item = Answer>) -> Result<(), Error> {
        valid::path(path)?;
        let valid = |answer| valid::answer(&answer).map(|()| answer);
        let answers = answers.into_iter().map(valid).collect::<Result<_, _>>()?;
        self.ledger.rewrite(path, |script| script.answers = answers);
        Ok(())
    }

    /// Gives a path this answer whenever its script is used up.
    ///
    /// # Errors
    ///
    /// As [`script`](Self::script).
    pub fn otherwise(&self, path: &str, answer: Answer) -> Result<(), Error> {
        valid::path(path)?;
        valid::answer(&answer)?;
        self.ledger.rewrite(path, |script| script.otherwise = Reply::Answer(answer));
        Ok(())
    }

    /// Has a function answer a path whenever its script is used up: for pages, ledgers, whatever depends on the request.
    ///
    /// It runs on the server's thread, so one that takes long holds up all clients; [`Answer::after`] holds up one. What
    /// it answers is checked when it is due: an answer that cannot be sent becomes a 500 that says why. Where it panics,
    /// the connection is closed and the request is not recorded.
    ///
    /// # Errors
    ///
    /// [`Error::Path`] if no request can have the path.
    ///
    /// ```
    /// # use flaky_server::{Answer, FlakyServer};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = FlakyServer::start()?;
    /// server.respond("/whoami", |request| match request.header("Authorization") {
    ///     Some("Bearer open sesame") => Answer::json(200, r#"{"name":"Ali"}"#),
    ///     _ => Answer::status(401),
    /// })?;
    /// assert_eq!(reqwest::blocking::get(server.url("/whoami"))?.status(), 401);
    /// # Ok(())
    /// # }
    /// ```
    pub fn respond(&self, path: &str, responder: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Result<(), Error> {
        valid::path(path)?;
        self.ledger.rewrite(path, |script| script.otherwise = Reply::Responder(Arc::new(responder)));
        Ok(())
    }

    /// Gives a path this answer and no other until it [recovers](Self::recover); its script waits.
    ///
    /// # Errors
    ///
    /// As [`script`](Self::script).
    ///
    /// ```
    /// # use flaky_server::{Answer, FlakyServer};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = FlakyServer::start()?;
    /// server.outage("/receipt", Answer::status(503))?;
    /// assert_eq!(reqwest::blocking::get(server.url("/receipt"))?.status(), 503);
    /// server.recover("/receipt")?;
    /// assert_eq!(reqwest::blocking::get(server.url("/receipt"))?.status(), 200);
    /// # Ok(())
    /// # }
    /// ```
    pub fn outage(&self, path: &str, answer: Answer) -> Result<(), Error> {
        valid::path(path)?;
        valid::answer(&answer)?;
        self.ledger.rewrite(path, |script| script.outage = Some(answer));
        Ok(())
    }

    /// Ends the outage of a path, if there is one.
    ///
    /// # Errors
    ///
    /// [`Error::Path`] if no request can have the path.
    pub fn recover(&self, path: &str) -> Result<(), Error> {
        valid::path(path)?;
        self.ledger.rewrite(path, |script| script.outage = None);
        Ok(())
    }

    /// The address under which a path, with or without a query, is served.
    ///
    /// ```
    /// # fn main() -> Result<(), flaky_server::Error> {
    /// let server = flaky_server::FlakyServer::start()?;
    /// assert_eq!(server.url("/a?b=c"), format!("http://{}/a?b=c", server.address()));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        let slash = if path.starts_with('/') { "" } else { "/" };
        format!("http://{}{slash}{path}", self.address)
    }

    /// The socket the server listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A copy of the record as it stands.
    #[must_use]
    pub fn record(&self) -> Record {
        self.ledger.record()
    }

    /// Blocks until the record satisfies a condition, and returns that record.
    ///
    /// It takes the place of sleeping in tests. In asynchronous code, keep it off the threads that drive the client.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`] if the condition still fails after `timeout`.
    ///
    /// ```
    /// # use flaky_server::{Answer, FlakyServer};
    /// # use std::{net::TcpStream, io::Write, time::Duration};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = FlakyServer::start()?;
    /// server.script("/slow", [Answer::never()])?;
    ///
    /// let mut client = TcpStream::connect(server.address())?;
    /// client.write_all(b"GET /slow HTTP/1.1\r\n\r\n")?;
    /// server.wait_for(Duration::from_secs(10), |record| record.in_flight() == 1)?;
    ///
    /// drop(client);
    /// server.wait_for(Duration::from_secs(10), |record| record.in_flight() == 0)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn wait_for(&self, timeout: Duration, condition: impl Fn(&Record) -> bool) -> Result<Record, Error> {
        self.ledger.wait_for(timeout, condition).ok_or(Error::Timeout(timeout))
    }
}

impl Drop for FlakyServer {
    fn drop(&mut self) {
        if let Some(Running { stop, thread }) = self.running.take() {
            drop(stop);
            // Nothing in the thread panics, and a panic while dropping would abort the test that reports it.
            let _ = thread.join();
        }
    }
}

fn run(ledger: &Arc<Ledger>) -> io::Result<(SocketAddr, Running)> {
    let ledger = Arc::clone(ledger);
    let (stop, stopped) = oneshot::channel();
    let (opened, opening) = mpsc::sync_channel(1);
    let thread = thread::Builder::new().name("flaky-server".to_owned()).spawn(move || work(&opened, ledger, stopped))?;
    let address = opening.recv().map_err(io::Error::other)??;
    Ok((address, Running { stop, thread }))
}

/// The runtime is made and dropped here, since dropping one inside another runtime panics.
fn work(opened: &mpsc::SyncSender<io::Result<SocketAddr>>, ledger: Arc<Ledger>, stopped: oneshot::Receiver<Infallible>) {
    let (result, open) = match open() {
        Ok((runtime, listener, address)) => (Ok(address), Some((runtime, listener))),
        Err(error) => (Err(error), None),
    };
    let is_awaited = opened.send(result).is_ok();
    if let Some((runtime, listener)) = open.filter(|_| is_awaited) {
        runtime.spawn(accept(listener, ledger));
        let _ = runtime.block_on(stopped);
    }
}

fn open() -> io::Result<(Runtime, TcpListener, SocketAddr)> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
    let address = listener.local_addr()?;
    Ok((runtime, listener, address))
}

async fn accept(listener: TcpListener, ledger: Arc<Ledger>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(Connection::new(stream, Arc::clone(&ledger)).serve());
            }
            Err(_) => tokio::time::sleep(PAUSE_AFTER_A_FAILED_ACCEPT).await,
        }
    }
}
