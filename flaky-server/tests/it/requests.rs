use flaky_server::FlakyServer;

use crate::client::Client;

#[test]
fn a_connection_carries_many_requests() {
    let server = FlakyServer::start().unwrap();
    let mut client = Client::connect(&server);
    for _ in 0..3 {
        client.get("/");
        assert_eq!(client.reply().status, 200);
    }
    assert_eq!(server.record().len(), 3);
}

#[test]
fn requests_sent_together_are_answered_in_turn() {
    let server = FlakyServer::start().unwrap();
    let mut client = Client::connect(&server);
    client.send("GET /a HTTP/1.1\r\n\r\nPOST /b HTTP/1.1\r\nContent-Length: 2\r\n\r\nhiGET /c HTTP/1.1\r\n\r\n");
    for _ in 0..3 {
        assert_eq!(client.reply().status, 200);
    }
    let record = server.record();
    let paths: Vec<&str> = record.requests.iter().map(|seen| seen.path.as_str()).collect();
    assert_eq!(paths, ["/a", "/b", "/c"]);
}

#[test]
fn a_request_may_come_in_pieces() {
    let server = FlakyServer::start().unwrap();
    let mut client = Client::connect(&server);
    for piece in ["PO", "ST /a HTTP/1.1\r", "\nContent-Length: 4\r\n\r\nab", "cd"] {
        client.send(piece);
    }
    assert_eq!(client.reply().status, 200);
    assert_eq!(server.record().requests[0].body, b"abcd");
}

#[test]
fn chunked_bodies_are_put_together() {
    let server = FlakyServer::start().unwrap();
    let mut client = Client::connect(&server);
    client.send("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\na\r\n0123456789\r\n0\r\n\r\n");
    assert_eq!(client.reply().status, 200);
    assert_eq!(server.record().requests[0].body, b"abc0123456789");
}

#[test]
fn large_bodies_are_read_whole() {
    let server = FlakyServer::start().unwrap();
    let mut client = Client::connect(&server);
    let body = "x".repeat(2 * 1024 * 1024);
    client.send(&format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
    assert_eq!(client.reply().status, 200);
    assert_eq!(server.record().requests[0].body.len(), body.len());
}

#[test]
fn a_request_to_close_is_granted() {
    let server = FlakyServer::start().unwrap();
    for request in ["GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"] {
        let mut client = Client::connect(&server);
        client.send(request);
        assert_eq!(client.reply().header("Connection"), Some("close"));
        assert_eq!(client.rest().unwrap(), "");
    }
}

#[test]
fn nonsense_is_refused_and_not_recorded() {
    let server = FlakyServer::start().unwrap();
    for nonsense in ["\0\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"] {
        let mut client = Client::connect(&server);
        client.send(nonsense);
        assert_eq!(client.head().status, 400);
        assert_eq!(client.rest().unwrap_or_default(), "");
    }
    assert!(server.record().is_empty());
}

#[test]
fn a_request_without_end_is_refused() {
    const LONGEST_REQUEST: usize = 4 * 1024 * 1024;
    let server = FlakyServer::start().unwrap();
    let mut client = Client::connect(&server);
    let head = format!("POST / HTTP/1.1\r\nContent-Length: {LONGEST_REQUEST}\r\n\r\n");
    client.send(&head);
    client.send(&"x".repeat(LONGEST_REQUEST - head.len()));
    assert_eq!(client.head().status, 400);
    assert!(server.record().is_empty());
}
