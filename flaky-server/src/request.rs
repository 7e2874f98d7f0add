use httparse::{EMPTY_HEADER, Header, Status};

use crate::body;

const MOST_HEADERS: usize = 128;

/// What a client asks, for a [`respond`](crate::FlakyServer::respond) to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// The method, such as `POST`.
    pub method: String,
    /// The path as sent, percent-encoding and all, without the query.
    pub path: String,
    /// What stood behind the `?`.
    pub query: Option<String>,
    /// All headers in the order sent.
    pub headers: Vec<(String, String)>,
    /// The body, unchunked.
    pub body: Vec<u8>,
    pub(crate) keeps_alive: bool,
}

/// Bytes that can never become a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl Request {
    /// The first value of a parameter of the query, as sent; empty where it has no `=`.
    ///
    /// ```
    /// # use flaky_server::{Answer, FlakyServer};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = FlakyServer::start()?;
    /// server.respond("/pages", |request| Answer::json(200, request.parameter("page").unwrap_or("1")))?;
    /// assert_eq!(reqwest::blocking::get(server.url("/pages?size=9&page=3"))?.text()?, "3");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let pairs = self.query.iter().flat_map(|query| query.split('&'));
        let mut pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.find(|(present, _)| *present == name).map(|(_, value)| value)
    }

    /// The first value of a header, whatever the case of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(present, _)| present.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The request that `bytes` begin with and its length, or nothing while part of it is missing.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, Malformed> {
        let mut slots = [EMPTY_HEADER; MOST_HEADERS];
        let mut head = httparse::Request::new(&mut slots);
        let Status::Complete(head_length) = head.parse(bytes)? else {
            return Ok(None);
        };
        let Some((body, body_length)) = body::parse(head.headers, &bytes[head_length..])? else {
            return Ok(None);
        };
        Ok(Some((Self::new(&head, body), head_length + body_length)))
    }

    fn new(head: &httparse::Request<'_, '_>, body: Vec<u8>) -> Self {
        let (path, query) = split(head.path.unwrap_or_default());
        Self {
            method: head.method.unwrap_or_default().to_owned(),
            path,
            query,
            headers: head.headers.iter().map(owned).collect(),
            body,
            keeps_alive: keeps_alive(head),
        }
    }
}

fn split(target: &str) -> (String, Option<String>) {
    match target.split_once('?') {
        Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
        None => (target.to_owned(), None),
    }
}

fn owned(header: &Header<'_>) -> (String, String) {
    let value = String::from_utf8_lossy(header.value);
    (header.name.to_owned(), value.into_owned())
}

fn keeps_alive(head: &httparse::Request<'_, '_>) -> bool {
    let wants_close = head
        .headers
        .iter()
        .any(|header| header.name.eq_ignore_ascii_case("Connection") && header.value.eq_ignore_ascii_case(b"close"));
    head.version == Some(1) && !wants_close
}

impl From<httparse::Error> for Malformed {
    fn from(_: httparse::Error) -> Self {
        Self
    }
}

#[cfg(test)]
mod tests {
    use super::{Malformed, Request};

    #[test]
    fn every_prefix_of_a_request_is_incomplete() {
        let whole = b"POST /a?b=c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n";
        for length in 0..whole.len() {
            assert_eq!(Request::parse(&whole[..length]), Ok(None), "{length} bytes");
        }
        assert!(matches!(
            Request::parse(whole),
            Ok(Some((request, length))) if length == whole.len() && request.body == b"abc"
        ));
    }

    #[test]
    fn what_follows_a_request_is_left_alone() {
        let two = b"POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nhiGET /b HTTP/1.1\r\n\r\n";
        assert!(matches!(
            Request::parse(two),
            Ok(Some((request, length))) if request.body == b"hi" && two[length..].starts_with(b"GET /b")
        ));
    }

    #[test]
    fn nonsense_is_malformed() {
        let nonsense: [&[u8]; 5] = [
            b"\x16\x03\x01\x02\x00\x01\x00",
            b"GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
            b"GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
            b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
        ];
        for bytes in nonsense {
            assert_eq!(Request::parse(bytes), Err(Malformed), "{bytes:?}");
        }
    }

    #[test]
    fn old_or_closing_requests_end_their_connection() {
        let keeps_alive = |bytes: &[u8]| Request::parse(bytes).map(|found| found.map(|(request, _)| request.keeps_alive));
        assert_eq!(keeps_alive(b"GET / HTTP/1.1\r\n\r\n"), Ok(Some(true)));
        assert_eq!(keeps_alive(b"GET / HTTP/1.0\r\n\r\n"), Ok(Some(false)));
        assert_eq!(keeps_alive(b"GET / HTTP/1.1\r\nconnection: Close\r\n\r\n"), Ok(Some(false)));
    }
}
