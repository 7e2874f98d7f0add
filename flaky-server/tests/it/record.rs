use std::time::{Duration, Instant};

use flaky_server::{Answer, FlakyServer};

use crate::client::{Client, get, server_with};

#[test]
fn nothing_is_recorded_before_the_first_request() {
    let server = FlakyServer::start().unwrap();
    let _silent = Client::connect(&server);
    let record = server.record();
    assert!(record.is_empty());
    assert!(record.gaps().is_empty());
    assert_eq!((record.len(), record.in_flight(), record.peak_concurrency()), (0, 0, 0));
}

#[test]
fn a_request_is_recorded_as_sent() {
    let server = server_with([]);
    let mut client = Client::connect(&server);
    client.send("PUT /a%20b?c=d HTTP/1.1\r\nX-Id: 7\r\nx-id: 8\r\nContent-Length: 2\r\n\r\nhi");
    client.reply();

    let seen = &server.record().requests[0];
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("PUT", "/a%20b"));
    assert_eq!(seen.query.as_deref(), Some("c=d"));
    assert_eq!(seen.body, b"hi");
    let names: Vec<&str> = seen.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["X-Id", "x-id", "Content-Length"]);
    assert_eq!(seen.header("X-ID"), Some("7"));
    assert_eq!(seen.header("absent"), None);
}

#[test]
fn the_answers_given_are_recorded() {
    let answers = [Answer::status(500), Answer::html(), Answer::throttled(Duration::from_secs(1))];
    let server = server_with(answers.clone());
    for _ in 0..4 {
        get(&server, "/");
    }
    let record = server.record();
    let given: Vec<Answer> = record.requests.iter().map(|seen| seen.answer.clone()).collect();
    assert_eq!(given[..3], answers);
    assert_eq!(given[3], Answer::default());
    assert_eq!(record.statuses(), [Some(500), Some(200), Some(429), Some(200)]);
    assert_eq!((record.count_status(200), record.count_status(503)), (2, 0));
}

#[test]
fn times_lie_between_sending_and_receiving() {
    let server = FlakyServer::start().unwrap();
    let before = Instant::now();
    get(&server, "/");
    let between = Instant::now();
    get(&server, "/");
    let after = Instant::now();

    let record = server.record();
    let arrivals = record.arrivals();
    assert!(before <= arrivals[0] && arrivals[0] <= between);
    assert!(between <= arrivals[1] && arrivals[1] <= after);
    assert_eq!(record.gaps(), [arrivals[1] - arrivals[0]]);
    assert!(record.requests[0].left.unwrap() <= between);
}

#[test]
fn a_path_has_a_record_of_its_own() {
    let server = FlakyServer::start().unwrap();
    for path in ["/a", "/b?x", "/a?y", "/ab"] {
        get(&server, path);
    }
    let record = server.record();
    assert_eq!(record.len(), 4);
    assert_eq!(record.for_path("/a").len(), 2);
    assert_eq!(record.for_path("/b").requests[0].query.as_deref(), Some("x"));
    assert!(record.for_path("/c").is_empty());
}

#[test]
fn a_client_with_the_whole_answer_finds_it_recorded_as_given() {
    let server = FlakyServer::start().unwrap();
    server.otherwise("/", Answer::default().body_over(Duration::from_millis(1))).unwrap();
    for _ in 0..50 {
        get(&server, "/");
        assert_eq!(server.record().in_flight(), 0);
    }
}

#[test]
fn waiting_for_what_never_happens_ends_with_an_error() {
    let server = FlakyServer::start().unwrap();
    for timeout in [Duration::ZERO, Duration::from_millis(20)] {
        let start = Instant::now();
        assert!(matches!(
            server.wait_for(timeout, |record| !record.is_empty()),
            Err(flaky_server::Error::Timeout(waited)) if waited == timeout
        ));
        assert!(start.elapsed() >= timeout);
    }
}

#[test]
fn a_condition_may_use_the_server() {
    let server = FlakyServer::start().unwrap();
    let record = server.wait_for(Duration::MAX, |_| {
        get(&server, "/");
        server.record().len() == 3
    });
    assert_eq!(record.unwrap().len(), 2);
}
