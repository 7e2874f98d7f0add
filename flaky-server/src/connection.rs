use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::answer::{Answer, Ending};
use crate::ledger::{Ledger, Visit};
use crate::request::Request;
use crate::response;

const LONGEST_REQUEST: usize = 4 * 1024 * 1024;

const REFUSAL: &[u8] = b"HTTP/1.1 400 \r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// One client's connection, closed when dropped.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
    ledger: Arc<Ledger>,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream, ledger: Arc<Ledger>) -> Self {
        Self { stream, unread: Vec::new(), ledger }
    }

    /// Answers requests until the script or the client ends the connection.
    pub(crate) async fn serve(mut self) -> io::Result<()> {
        self.stream.set_nodelay(true)?;
        while let Some(request) = self.next_request().await? {
            let (answer, visit) = self.ledger.admit(&request);
            self.give(&answer, &request, visit).await?;
            if answer.ending != Ending::Whole || !request.keeps_alive {
                break;
            }
        }
        Ok(())
    }

    async fn next_request(&mut self) -> io::Result<Option<Request>> {
        loop {
            match Request::parse(&self.unread) {
                Ok(Some((request, length))) => {
                    self.unread.drain(..length);
                    return Ok(Some(request));
                }
                Ok(None) if self.unread.len() < LONGEST_REQUEST => {}
                _ => return self.refuse().await,
            }
            if self.read_more().await? == 0 {
                return Ok(None);
            }
        }
    }

    async fn refuse(&mut self) -> io::Result<Option<Request>> {
        self.stream.write_all(REFUSAL).await?;
        Ok(None)
    }

    async fn give(&mut self, answer: &Answer, request: &Request, visit: Visit) -> io::Result<()> {
        self.wait(answer.delay).await?;
        match answer.ending {
            Ending::Whole | Ending::CutMidBody => self.send(answer, request, visit).await,
            Ending::DropBefore => Ok(()),
            Ending::ResetBefore => self.stream.set_zero_linger(),
            Ending::Never => {
                self.hung_up().await;
                Ok(())
            }
        }
    }

    /// The visit ends before the last bytes go out, so that a client that has them finds it ended.
    async fn send(&mut self, answer: &Answer, request: &Request, visit: Visit) -> io::Result<()> {
        let mut pieces = response::pieces(answer, request, SystemTime::now());
        let last = pieces.pop();
        for piece in pieces {
            self.wait(piece.pause).await?;
            self.stream.write_all(&piece.bytes).await?;
        }
        if let Some(piece) = last {
            self.wait(piece.pause).await?;
            drop(visit);
            self.stream.write_all(&piece.bytes).await?;
        }
        Ok(())
    }

    /// An error if the client hangs up meanwhile.
    async fn wait(&mut self, time: Duration) -> io::Result<()> {
        if time.is_zero() {
            return Ok(());
        }
        match timeout(time, self.hung_up()).await {
            Ok(()) => Err(io::ErrorKind::ConnectionAborted.into()),
            Err(_elapsed) => Ok(()),
        }
    }

    async fn hung_up(&mut self) {
        while matches!(self.read_more().await, Ok(length) if length > 0) {}
    }

    async fn read_more(&mut self) -> io::Result<usize> {
        self.stream.read_buf(&mut self.unread).await
    }
}
