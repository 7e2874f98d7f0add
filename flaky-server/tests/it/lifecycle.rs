use std::io::ErrorKind;
use std::net::TcpStream;

use flaky_server::{Answer, FlakyServer};

use crate::client::{AGES, Client, WATCHDOG, get, server_with};

#[test]
fn dropping_the_server_ends_held_connections() {
    let server = server_with([Answer::never(), Answer::status(200).after(AGES), Answer::json(200, "[]").body_over(AGES)]);
    let mut held = [(); 3].map(|()| Client::connect(&server));
    for (client, count) in held.iter_mut().zip(1..) {
        client.get("/");
        server.wait_for(WATCHDOG, |record| record.in_flight() == count).unwrap();
    }
    drop(server);
    let [never, delayed, slow] = &mut held;
    assert_eq!(never.rest().unwrap(), "");
    assert_eq!(delayed.rest().unwrap(), "");
    assert_eq!(slow.head().content_length(), 2);
    assert_eq!(slow.rest().unwrap(), "");
}

#[test]
fn dropping_the_server_ends_idle_and_half_sent_connections() {
    let server = FlakyServer::start().unwrap();
    let mut idle = Client::connect(&server);
    idle.get("/");
    idle.reply();
    let mut half_sent = Client::connect(&server);
    half_sent.send("GET / HT");
    drop(server);
    assert_eq!(idle.rest().unwrap(), "");
    // Reset if the server had not read the half, or not even accepted the connection.
    let end = half_sent.rest().map_err(|error| error.kind());
    assert!(matches!(end.as_deref(), Ok("") | Err(ErrorKind::ConnectionReset)));
}

#[test]
fn a_dropped_server_refuses_connections() {
    let server = FlakyServer::start().unwrap();
    let address = server.address();
    drop(server);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn servers_do_not_share_anything() {
    let servers = [(); 5].map(|()| FlakyServer::start().unwrap());
    for server in &servers {
        get(server, "/");
        assert_eq!(server.record().len(), 1);
    }
}

#[test]
fn a_server_can_be_shared_between_threads_and_tasks() {
    fn is_shareable<T: Send + Sync + 'static>() {}
    is_shareable::<FlakyServer>();
}

#[test]
fn a_server_can_live_and_die_inside_a_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let server = FlakyServer::start().unwrap();
        assert_eq!(get(&server, "/").status, 200);
        drop(server);
    });
}

#[test]
fn a_hundred_servers_come_and_go() {
    for _ in 0..100 {
        get(&FlakyServer::start().unwrap(), "/");
    }
}
