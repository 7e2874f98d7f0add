use flaky_server::{Answer, Error, FlakyServer};

use crate::client::{get, server_with};

fn refusal_of(answer: Answer) -> Error {
    let server = FlakyServer::start().unwrap();
    server.otherwise("/", answer).unwrap_err()
}

#[test]
fn paths_that_no_request_can_have_are_refused() {
    let server = FlakyServer::start().unwrap();
    for path in ["", "receipt", "http://host/", "/a?b", "/a#b", "/a b", "/ä", "/a\r\n"] {
        let errors = [
            server.script(path, []).unwrap_err(),
            server.otherwise(path, Answer::default()).unwrap_err(),
            server.outage(path, Answer::default()).unwrap_err(),
            server.recover(path).unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error, Error::Path(refused) if refused == path));
        }
    }
}

#[test]
fn statuses_that_end_no_exchange_are_refused() {
    for status in [0, 42, 100, 101, 199, 1000, u16::MAX] {
        assert!(matches!(refusal_of(Answer::status(status)), Error::Status(refused) if refused == status));
    }
}

#[test]
fn bodies_where_none_may_be_are_refused() {
    for status in [204, 304] {
        for answer in [Answer::json(status, "{}"), Answer::status(status).cut_mid_body()] {
            assert!(matches!(refusal_of(answer), Error::Bodiless(refused) if refused == status));
        }
    }
}

#[test]
fn headers_that_would_break_the_message_are_refused() {
    let headers = [
        ("", "a"),
        ("a b", "c"),
        ("a:", "b"),
        ("ä", "b"),
        ("a", "b\r\nc: d"),
        ("a", "b\0"),
        ("content-length", "7"),
        ("Transfer-Encoding", "chunked"),
        ("CONNECTION", "close"),
        ("Date", "today"),
    ];
    for (name, value) in headers {
        let error = refusal_of(Answer::status(200).header(name, value));
        assert!(matches!(error, Error::Header(refused) if refused == name));
    }
}

#[test]
fn a_refused_script_changes_nothing() {
    let server = server_with([Answer::status(500)]);
    assert!(server.script("/", [Answer::status(404), Answer::status(1)]).is_err());
    assert_eq!(get(&server, "/").status, 500);
}

#[test]
fn errors_say_what_is_wrong() {
    let server = FlakyServer::start().unwrap();
    let error = server.script("receipt", []).unwrap_err();
    assert_eq!(error.to_string(), "path \"receipt\" must begin with '/' and hold visible ASCII only, without '?' and '#'");
}
