use std::time::{Duration, Instant};

use flaky_server::{Answer, FlakyServer};

use crate::client::{AGES, Client, WATCHDOG, get, server_with};

const DELAY: Duration = Duration::from_millis(60);

fn time_until_closed(server: &FlakyServer) -> Duration {
    let mut client = Client::connect(server);
    let start = Instant::now();
    client.send("GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
    let _closed_or_reset = client.rest();
    start.elapsed()
}

#[test]
fn every_kind_of_answer_can_be_delayed() {
    let answers =
        [Answer::json(200, "{}"), Answer::status(500), Answer::drop_before(), Answer::reset_before(), Answer::drop_mid_body()];
    let server = server_with(answers.map(|answer| answer.after(DELAY)));
    for _ in 0..5 {
        assert!(time_until_closed(&server) >= DELAY);
    }
}

#[test]
fn nothing_is_sent_before_the_delay_is_over() {
    let server = server_with([Answer::status(200).after(AGES)]);
    let mut client = Client::connect(&server);
    client.get("/");
    assert!(client.rest_within(Duration::from_millis(50)).is_err());
}

#[test]
fn a_slow_answer_holds_up_nobody_else() {
    let server = server_with([Answer::status(200).after(AGES), Answer::status(404)]);
    let mut slow = Client::connect(&server);
    slow.get("/");
    server.wait_for(WATCHDOG, |record| record.in_flight() == 1).unwrap();
    assert_eq!(get(&server, "/").status, 404);
}

#[test]
fn a_slow_body_is_whole_in_the_end() {
    let server = server_with([Answer::json(200, r#"{"id":12345}"#).body_over(DELAY)]);
    let start = Instant::now();
    let reply = get(&server, "/");
    assert!(start.elapsed() >= DELAY);
    assert_eq!(reply.body, r#"{"id":12345}"#);
}

#[test]
fn the_head_of_a_slow_body_comes_at_once() {
    let server = server_with([Answer::json(200, "[]").body_over(AGES)]);
    let mut client = Client::connect(&server);
    client.get("/");
    assert_eq!(client.head().status, 200);
    assert_eq!(server.record().in_flight(), 1);
}

#[test]
fn a_slow_body_can_be_cut() {
    let server = server_with([Answer::status(200).body("0123456789").body_over(DELAY).cut_mid_body()]);
    let mut client = Client::connect(&server);
    let start = Instant::now();
    client.get("/");
    assert_eq!(client.head().content_length(), 10);
    assert_eq!(client.rest().unwrap(), "01234");
    assert!(start.elapsed() >= DELAY);
}

#[test]
fn a_client_that_hangs_up_during_a_delay_is_noticed() {
    for answer in [Answer::default().after(AGES), Answer::default().body_over(AGES)] {
        let server = server_with([answer]);
        let mut client = Client::connect(&server);
        client.get("/");
        server.wait_for(WATCHDOG, |record| record.in_flight() == 1).unwrap();
        drop(client);
        server.wait_for(WATCHDOG, |record| record.in_flight() == 0).unwrap();
    }
}

#[test]
fn the_longest_delay_is_only_long() {
    let server = server_with([Answer::status(200).after(Duration::MAX)]);
    let mut client = Client::connect(&server);
    client.get("/");
    server.wait_for(WATCHDOG, |record| record.in_flight() == 1).unwrap();
    assert_eq!(get(&server, "/").status, 200);
}
