use flaky_server::{Answer, FlakyServer};

use crate::client::{Client, WATCHDOG, get};

fn hold(server: &FlakyServer, path: &str, count: usize) -> Vec<Client> {
    let send = |()| {
        let mut client = Client::connect(server);
        client.get(path);
        client
    };
    std::iter::repeat_n((), count).map(send).collect()
}

#[test]
fn requests_one_after_another_never_overlap() {
    let server = FlakyServer::start().unwrap();
    let mut client = Client::connect(&server);
    for _ in 0..200 {
        client.get("/");
        client.reply();
        get(&server, "/");
    }
    assert_eq!((server.record().len(), server.record().peak_concurrency()), (400, 1));
}

#[test]
fn the_peak_outlives_the_crowd() {
    let server = FlakyServer::start().unwrap();
    server.otherwise("/", Answer::never()).unwrap();
    for (crowd, peak) in [(3, 3), (7, 7), (2, 7)] {
        let clients = hold(&server, "/", crowd);
        server.wait_for(WATCHDOG, |record| record.in_flight() == crowd).unwrap();
        drop(clients);
        server.wait_for(WATCHDOG, |record| record.in_flight() == 0).unwrap();
        assert_eq!(server.record().peak_concurrency(), peak);
    }
}

#[test]
fn every_path_has_a_peak_of_its_own() {
    let server = FlakyServer::start().unwrap();
    server.otherwise("/a", Answer::never()).unwrap();
    server.otherwise("/b", Answer::never()).unwrap();
    let _clients = (hold(&server, "/a", 2), hold(&server, "/b", 3));
    let record = server.wait_for(WATCHDOG, |record| record.in_flight() == 5).unwrap();
    assert_eq!(record.peak_concurrency(), 5);
    assert_eq!(record.for_path("/a").peak_concurrency(), 2);
    assert_eq!(record.for_path("/b").peak_concurrency(), 3);
}

#[test]
fn a_script_is_shared_out_among_threads_without_loss() {
    let server = FlakyServer::start().unwrap();
    server.script("/", std::iter::repeat_n(Answer::status(500), 100)).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..25).for_each(|_| drop(get(&server, "/"))));
        }
    });
    let record = server.record();
    assert_eq!((record.count_status(500), record.count_status(200)), (100, 100));
    assert!((1..=8).contains(&record.peak_concurrency()));
}

#[test]
fn a_crowd_of_connections_is_let_in() {
    let server = FlakyServer::start().unwrap();
    server.otherwise("/", Answer::never()).unwrap();
    let _clients = hold(&server, "/", 300);
    server.wait_for(WATCHDOG, |record| record.in_flight() == 300).unwrap();
}
