use std::time::{Duration, SystemTime};

use flaky_server::{Answer, FlakyServer};

use crate::client::{Client, get, server_with};

#[test]
fn an_unscripted_path_answers_ok() {
    let server = FlakyServer::start().unwrap();
    let reply = get(&server, "/anything");
    assert_eq!((reply.status, reply.body.as_str()), (200, r#"{"ok":true}"#));
    assert_eq!(reply.header("Content-Type"), Some("application/json"));
}

#[test]
fn json_is_sent_as_given() {
    let server = server_with([Answer::json(422, r#"{"id": 1}"#)]);
    let reply = get(&server, "/");
    assert_eq!((reply.status, reply.body.as_str()), (422, r#"{"id": 1}"#));
}

#[test]
fn every_plain_status_arrives() {
    let statuses = [200, 201, 401, 404, 429, 500, 502, 503, 504, 999];
    let server = server_with(statuses.map(Answer::status));
    for status in statuses {
        let reply = get(&server, "/");
        assert_eq!((reply.status, reply.content_length()), (status, 0));
        assert_eq!(reply.header("Retry-After"), None);
    }
}

#[test]
fn html_comes_with_a_status_of_200() {
    let server = server_with([Answer::html()]);
    let reply = get(&server, "/");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("Content-Type"), Some("text/html; charset=utf-8"));
    assert!(reply.body.starts_with("<!doctype html>"));
}

#[test]
fn throttling_names_its_seconds_rounded_up() {
    let server = server_with([
        Answer::throttled(Duration::from_secs(7)),
        Answer::throttled(Duration::from_millis(1001)),
        Answer::throttled(Duration::ZERO),
    ]);
    for seconds in ["7", "2", "0"] {
        let reply = get(&server, "/");
        assert_eq!((reply.status, reply.header("Retry-After")), (429, Some(seconds)));
    }
}

#[test]
fn throttling_until_a_date_is_never_too_early() {
    let wait = Duration::from_secs(90);
    let server = server_with([Answer::throttled_until_date(wait)]);
    let before = SystemTime::now();
    let reply = get(&server, "/");
    let after = SystemTime::now();

    let date = httpdate::parse_http_date(reply.header("Retry-After").unwrap()).unwrap();
    assert_eq!(reply.status, 429);
    assert!(date >= before + wait);
    assert!(date <= after + wait + Duration::from_secs(1));
}

#[test]
fn any_status_may_ask_for_patience() {
    let server = server_with([
        Answer::status(503).retry_after(Duration::from_secs(3)),
        Answer::status(503).retry_after_date(Duration::from_secs(3)),
        Answer::status(503).header("Retry-After", "soon"),
    ]);
    assert_eq!(get(&server, "/").header("Retry-After"), Some("3"));
    assert!(httpdate::parse_http_date(get(&server, "/").header("Retry-After").unwrap()).is_ok());
    assert_eq!(get(&server, "/").header("Retry-After"), Some("soon"));
}

#[test]
fn the_longest_waits_are_written_too() {
    let server = server_with([Answer::throttled(Duration::MAX), Answer::throttled_until_date(Duration::MAX)]);
    assert_eq!(get(&server, "/").header("Retry-After"), Some("18446744073709551615"));
    assert_eq!(get(&server, "/").header("Retry-After"), Some("Fri, 31 Dec 9999 23:59:59 GMT"));
}

#[test]
fn a_header_replaces_its_namesake() {
    let server = server_with([Answer::json(200, "a,b").header("content-type", "text/csv")]);
    let reply = get(&server, "/");
    assert_eq!(reply.header("Content-Type"), None);
    assert_eq!(reply.header("content-type"), Some("text/csv"));
}

#[test]
fn an_answer_tells_its_date() {
    let server = FlakyServer::start().unwrap();
    let reply = get(&server, "/");
    assert!(httpdate::parse_http_date(reply.header("Date").unwrap()).is_ok());
}

#[test]
fn no_body_follows_where_none_may() {
    let server = server_with([Answer::status(204), Answer::status(304)]);
    let mut client = Client::connect(&server);
    for status in [204, 304] {
        client.get("/");
        let reply = client.head();
        assert_eq!((reply.status, reply.header("Content-Length")), (status, None));
    }
    client.send("HEAD / HTTP/1.1\r\n\r\n");
    assert_eq!(client.head().content_length(), r#"{"ok":true}"#.len());
    client.get("/");
    assert_eq!(client.reply().body, r#"{"ok":true}"#);
}
