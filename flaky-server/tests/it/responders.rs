use std::sync::Arc;

use flaky_server::{Answer, Error, FlakyServer};

use crate::client::{Client, get};

#[test]
fn a_responder_sees_the_whole_request() {
    let server = FlakyServer::start().unwrap();
    let words = |request: &flaky_server::Request| {
        let (method, path, body) = (&request.method, &request.path, String::from_utf8_lossy(&request.body));
        Answer::status(200).body(format!("{method} {path} {:?} {:?} {body}", request.query, request.header("x-case")))
    };
    server.respond("/a", words).unwrap();
    let mut client = Client::connect(&server);
    client.send("POST /a?b=c HTTP/1.1\r\nX-Case: upper\r\nContent-Length: 2\r\n\r\nhi");
    assert_eq!(client.reply().body, r#"POST /a Some("b=c") Some("upper") hi"#);
}

#[test]
fn parameters_are_found_by_their_whole_name() {
    let server = FlakyServer::start().unwrap();
    let shown = |request: &flaky_server::Request| Answer::status(200).body(format!("{:?}", request.parameter("page")));
    server.respond("/", shown).unwrap();
    let shown = |query: &str| get(&server, &format!("/{query}")).body;
    assert_eq!(shown("?page=3"), r#"Some("3")"#);
    assert_eq!(shown("?per_page=9&page=3&page=4"), r#"Some("3")"#);
    assert_eq!(shown("?page"), r#"Some("")"#);
    assert_eq!(shown("?a=page"), "None");
    assert_eq!(shown(""), "None");
}

#[test]
fn scripts_and_outages_come_before_a_responder() {
    let server = FlakyServer::start().unwrap();
    server.respond("/", |_| Answer::status(210)).unwrap();
    server.script("/", [Answer::status(503)]).unwrap();
    assert_eq!([(); 2].map(|()| get(&server, "/").status), [503, 210]);
    server.outage("/", Answer::status(500)).unwrap();
    assert_eq!(get(&server, "/").status, 500);
}

#[test]
fn of_a_default_and_a_responder_the_last_is_heard() {
    let server = FlakyServer::start().unwrap();
    server.respond("/", |_| Answer::status(210)).unwrap();
    server.otherwise("/", Answer::status(211)).unwrap();
    assert_eq!(get(&server, "/").status, 211);
    server.respond("/", |_| Answer::status(212)).unwrap();
    assert_eq!(get(&server, "/").status, 212);
}

#[test]
fn a_responder_may_ask_the_server_itself() {
    let server = Arc::new(FlakyServer::start().unwrap());
    let itself = Arc::downgrade(&server);
    let count = move |_: &flaky_server::Request| {
        let seen = itself.upgrade().map_or(0, |server| server.record().len());
        Answer::status(200).body(seen.to_string())
    };
    server.respond("/", count).unwrap();
    assert_eq!([(); 2].map(|()| get(&server, "/").body), ["0", "1"]);
}

#[test]
fn an_answer_that_cannot_be_sent_becomes_a_500_that_says_why() {
    let server = FlakyServer::start().unwrap();
    server.respond("/", |_| Answer::status(42)).unwrap();
    let reply = get(&server, "/");
    assert_eq!((reply.status, reply.body.as_str()), (500, "this answer cannot be sent: status 42 is outside 200..=999"));
}

#[test]
fn a_responder_that_panics_closes_its_connection_alone() {
    let server = FlakyServer::start().unwrap();
    server.respond("/", |_| panic!("meant")).unwrap();
    let mut client = Client::connect(&server);
    client.get("/");
    assert_eq!(client.rest().unwrap(), "");
    assert_eq!(get(&server, "/other").status, 200);
    assert_eq!(server.record().len(), 1);
}

#[test]
fn a_responder_needs_a_path_that_a_request_can_have() {
    let server = FlakyServer::start().unwrap();
    assert!(matches!(server.respond("page?n=1", |_| Answer::status(200)), Err(Error::Path(_))));
}
