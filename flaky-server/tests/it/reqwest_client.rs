//! What a client in daily use makes of it all.

use std::collections::HashMap;
use std::time::Duration;

use flaky_server::Answer;
use reqwest::blocking::{Client, get};

use crate::client::{AGES, WATCHDOG, server_with};

type Json = HashMap<String, u32>;

#[test]
fn json_is_read_and_html_is_not() {
    let server = server_with([Answer::json(200, r#"{"id":1}"#), Answer::html()]);
    let url = server.url("/");
    assert_eq!(get(&url).unwrap().json::<Json>().unwrap()["id"], 1);
    assert!(get(&url).unwrap().json::<Json>().unwrap_err().is_decode());
}

#[test]
fn statuses_and_headers_are_understood() {
    let server = server_with([Answer::throttled(Duration::from_secs(3)), Answer::status(503)]);
    let throttled = get(server.url("/")).unwrap();
    assert_eq!((throttled.status().as_u16(), &throttled.headers()["Retry-After"]), (429, &"3".parse().unwrap()));
    assert!(get(server.url("/")).unwrap().error_for_status().unwrap_err().is_status());
}

#[test]
fn broken_connections_are_errors_of_the_request() {
    for answer in [Answer::drop_before(), Answer::reset_before()] {
        let server = server_with([answer]);
        assert!(get(server.url("/")).unwrap_err().is_request());
        assert_eq!(server.record().len(), 1);
    }
}

#[test]
fn a_break_after_an_answer_is_not_tried_again_behind_our_back() {
    for answer in [Answer::drop_before(), Answer::reset_before()] {
        let server = server_with([Answer::status(200), answer]);
        let client = Client::new();
        assert!(client.get(server.url("/")).send().unwrap().bytes().is_ok());
        assert!(client.get(server.url("/")).send().unwrap_err().is_request());
        assert_eq!(server.record().len(), 2);
    }
}

#[test]
fn a_broken_body_is_found_while_reading_it() {
    let server = server_with([Answer::drop_mid_body()]);
    let reply = get(server.url("/")).unwrap();
    assert_eq!(reply.status(), 200);
    assert!(reply.bytes().is_err());
}

#[test]
fn silence_ends_in_a_timeout_and_the_server_notices() {
    let client = Client::builder().timeout(Duration::from_millis(250)).build().unwrap();
    for answer in [Answer::never(), Answer::default().after(AGES)] {
        let server = server_with([answer]);
        assert!(client.get(server.url("/")).send().unwrap_err().is_timeout());
        server.wait_for(WATCHDOG, |record| record.len() == 1 && record.in_flight() == 0).unwrap();
    }
}

#[test]
fn the_head_of_a_slow_body_is_a_reply_already() {
    let server = server_with([Answer::default().body_over(AGES)]);
    let reply = get(server.url("/")).unwrap();
    assert_eq!(reply.status(), 200);
    drop(server);
    assert!(reply.bytes().is_err());
}

#[test]
fn a_posted_body_is_seen() {
    let server = server_with([]);
    let order = HashMap::from([("amount", 5)]);
    Client::new().post(server.url("/orders")).json(&order).send().unwrap();
    let record = server.record().for_path("/orders");
    assert_eq!(record.requests[0].body, br#"{"amount":5}"#);
    assert_eq!(record.requests[0].header("content-type"), Some("application/json"));
}

#[test]
fn dropping_the_server_ends_a_request_under_way() {
    let server = server_with([Answer::never()]);
    let url = server.url("/");
    let request = std::thread::spawn(move || get(url));
    server.wait_for(WATCHDOG, |record| record.in_flight() == 1).unwrap();
    drop(server);
    assert!(request.join().unwrap().unwrap_err().is_request());
}
