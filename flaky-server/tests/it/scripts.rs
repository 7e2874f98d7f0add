use flaky_server::{Answer, FlakyServer};

use crate::client::{get, server_with};

fn statuses<const N: usize>(server: &FlakyServer) -> [u16; N] {
    [(); N].map(|()| get(server, "/").status)
}

#[test]
fn answers_come_in_order_and_then_the_default() {
    let server = server_with([500, 404, 503].map(Answer::status));
    assert_eq!(statuses(&server), [500, 404, 503, 200, 200]);
}

#[test]
fn the_default_can_be_chosen() {
    let server = server_with([Answer::status(500)]);
    server.otherwise("/", Answer::status(410)).unwrap();
    assert_eq!(statuses(&server), [500, 410, 410]);
}

#[test]
fn paths_have_scripts_of_their_own_whatever_the_query() {
    let server = server_with([Answer::status(500)]);
    server.script("/b", [Answer::status(404)]).unwrap();
    assert_eq!(get(&server, "/b?page=2").status, 404);
    assert_eq!(get(&server, "/b").status, 200);
    assert_eq!(get(&server, "/?").status, 500);
}

#[test]
fn a_new_script_replaces_what_is_left_of_the_old() {
    let server = server_with([500, 501, 502].map(Answer::status));
    assert_eq!(statuses(&server), [500]);
    server.script("/", [Answer::status(404)]).unwrap();
    assert_eq!(statuses(&server), [404, 200]);
}

#[test]
fn an_outage_comes_first_and_the_script_waits() {
    let server = server_with([500, 404].map(Answer::status));
    assert_eq!(statuses(&server), [500]);
    server.outage("/", Answer::status(503)).unwrap();
    assert_eq!(statuses(&server), [503, 503, 503]);
    server.recover("/").unwrap();
    assert_eq!(statuses(&server), [404, 200]);
}

#[test]
fn an_outage_is_of_one_path() {
    let server = FlakyServer::start().unwrap();
    server.outage("/down", Answer::status(503)).unwrap();
    assert_eq!(get(&server, "/down").status, 503);
    assert_eq!(get(&server, "/up").status, 200);
}

#[test]
fn recovering_without_an_outage_changes_nothing() {
    let server = server_with([Answer::status(500)]);
    server.recover("/").unwrap();
    assert_eq!(statuses(&server), [500, 200]);
}
