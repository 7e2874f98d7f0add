//! Servers that tests start for themselves: real ones, on a free port and in a folder of their own, gone when the test is.

mod guarded;
mod postgres;
mod redis;
mod scratch;

pub(crate) use postgres::Postgres;
pub(crate) use redis::Redis;

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Nothing that works takes so long.
pub(crate) const WATCHDOG: Duration = Duration::from_secs(90);

/// A port of the loopback that nobody uses now.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    listener.and_then(|listener| listener.local_addr()).as_ref().map(SocketAddr::port).unwrap()
}

/// The program of that name, on the path or in one of those folders.
fn program(name: &str, folders: impl IntoIterator<Item = PathBuf>) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let everywhere = folders.into_iter().chain(std::env::split_paths(&path));
    everywhere.map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// The server, or a word on standard output, past what tests print and is captured, that its test is skipped.
fn or_skipped<T>(server: Option<T>, what: &str) -> Option<T> {
    if server.is_none() {
        writeln!(std::io::stdout(), "SKIPPED: {what} is not installed").ok();
    }
    server
}

/// Waits until a server answers, or shows what it wrote instead.
fn wait_until(is_ready: impl Fn() -> bool, log: &Path) {
    let begin = Instant::now();
    while !is_ready() {
        assert!(begin.elapsed() < WATCHDOG, "no answer:\n{}", std::fs::read_to_string(log).unwrap_or_default());
        std::thread::sleep(Duration::from_millis(20));
    }
}
