use std::io::ErrorKind;
use std::time::Duration;

use flaky_server::Answer;

use crate::client::{Client, WATCHDOG, get, server_with};

#[test]
fn a_dropped_connection_ends_without_a_byte() {
    let server = server_with([Answer::drop_before()]);
    let mut client = Client::connect(&server);
    client.get("/");
    assert_eq!(client.rest().unwrap(), "");
}

#[test]
fn a_reset_connection_is_reset() {
    let server = server_with([Answer::reset_before()]);
    let mut client = Client::connect(&server);
    client.get("/");
    assert_eq!(client.rest().unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_body_cut_short_is_half_of_what_was_announced() {
    let server = server_with([Answer::json(500, "0123456789").cut_mid_body()]);
    let mut client = Client::connect(&server);
    client.get("/");
    let head = client.head();
    assert_eq!((head.status, head.content_length()), (500, 10));
    assert_eq!(client.rest().unwrap(), "01234");
}

#[test]
fn the_shortest_bodies_can_be_cut_too() {
    let server = server_with([Answer::status(200).cut_mid_body(), Answer::status(200).body("x").cut_mid_body()]);
    for _ in 0..2 {
        let mut client = Client::connect(&server);
        client.get("/");
        assert_eq!(client.head().content_length(), 1);
        assert_eq!(client.rest().unwrap(), "");
    }
}

#[test]
fn a_large_body_is_cut_at_its_very_middle() {
    let body = "x".repeat(8 * 1024 * 1024);
    let server = server_with([Answer::status(200).body(body.clone()).cut_mid_body()]);
    let mut client = Client::connect(&server);
    client.get("/");
    assert_eq!(client.head().content_length(), body.len());
    assert_eq!(client.rest().unwrap().len(), body.len() / 2);
}

#[test]
fn drop_mid_body_begins_as_a_success() {
    let server = server_with([Answer::drop_mid_body()]);
    let mut client = Client::connect(&server);
    client.get("/");
    assert_eq!(client.head().status, 200);
    assert_eq!(client.rest().unwrap(), r#"{"ok""#);
}

#[test]
fn an_answer_that_never_comes_leaves_the_connection_open() {
    let server = server_with([Answer::never()]);
    let mut client = Client::connect(&server);
    client.get("/");
    let silence = client.rest_within(Duration::from_millis(50)).unwrap_err();
    assert!(matches!(silence.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
    server.wait_for(WATCHDOG, |record| record.in_flight() == 1).unwrap();
}

#[test]
fn a_client_that_gives_up_is_noticed() {
    let server = server_with([Answer::never()]);
    let mut client = Client::connect(&server);
    client.get("/");
    server.wait_for(WATCHDOG, |record| record.in_flight() == 1).unwrap();
    drop(client);
    server.wait_for(WATCHDOG, |record| record.in_flight() == 0).unwrap();
}

#[test]
fn a_fault_on_a_used_connection_is_one_request_too() {
    let server = server_with([Answer::status(200), Answer::drop_before()]);
    let mut client = Client::connect(&server);
    client.get("/");
    assert_eq!(client.reply().status, 200);
    client.get("/");
    assert_eq!(client.rest().unwrap(), "");
    assert_eq!(server.record().statuses(), [Some(200), None]);
}

#[test]
fn faults_leave_other_connections_alone() {
    let server = server_with([Answer::never(), Answer::reset_before(), Answer::status(404)]);
    let mut held = Client::connect(&server);
    held.get("/");
    server.wait_for(WATCHDOG, |record| record.len() == 1).unwrap();
    let mut reset = Client::connect(&server);
    reset.get("/");
    assert!(reset.rest().is_err());
    assert_eq!(get(&server, "/").status, 404);
}
