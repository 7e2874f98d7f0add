//! A client that adds nothing of its own: bytes in, bytes out.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use flaky_server::{Answer, FlakyServer};

/// How long a broken server may keep a test from failing; never waited for otherwise.
pub(crate) const WATCHDOG: Duration = Duration::from_secs(20);

/// Longer than any test may take.
pub(crate) const AGES: Duration = Duration::from_secs(3600);

pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

pub(crate) fn server_with(answers: impl IntoIterator<Item = Answer>) -> FlakyServer {
    let server = FlakyServer::start().unwrap();
    server.script("/", answers).unwrap();
    server
}

/// The reply to a request on a connection of its own.
pub(crate) fn get(server: &FlakyServer, path: &str) -> Reply {
    let mut client = Client::connect(server);
    client.get(path);
    client.reply()
}

impl Client {
    pub(crate) fn connect(server: &FlakyServer) -> Self {
        let stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(WATCHDOG)).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    pub(crate) fn send(&mut self, bytes: &str) {
        self.stream.get_mut().write_all(bytes.as_bytes()).unwrap();
    }

    pub(crate) fn get(&mut self, path: &str) {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n"));
    }

    pub(crate) fn reply(&mut self) -> Reply {
        let mut reply = self.head();
        let mut body = vec![0; reply.content_length()];
        self.stream.read_exact(&mut body).unwrap();
        reply.body = String::from_utf8(body).unwrap();
        reply
    }

    /// The reply without its body, which is left unread.
    pub(crate) fn head(&mut self) -> Reply {
        let status = self.line();
        let status = status.strip_prefix("HTTP/1.1 ").unwrap();
        Reply { status: status.trim_end().parse().unwrap(), headers: self.headers(), body: String::new() }
    }

    /// All that comes until the server closes the connection.
    pub(crate) fn rest(&mut self) -> io::Result<String> {
        let mut rest = String::new();
        self.stream.read_to_string(&mut rest).map(|_| rest)
    }

    pub(crate) fn rest_within(&mut self, time: Duration) -> io::Result<String> {
        self.stream.get_ref().set_read_timeout(Some(time))?;
        self.rest()
    }

    fn headers(&mut self) -> Vec<(String, String)> {
        let lines = std::iter::repeat_with(|| self.line());
        lines
            .take_while(|line| !line.is_empty())
            .map(|line| {
                let (name, value) = line.split_once(": ").unwrap();
                (name.to_owned(), value.to_owned())
            })
            .collect()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        line.strip_suffix("\r\n").unwrap().to_owned()
    }
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(present, _)| present == name)?;
        Some(value)
    }

    pub(crate) fn content_length(&self) -> usize {
        self.header("Content-Length").unwrap().parse().unwrap()
    }
}
