use crate::support::{Setting, expected, page};
use flaky_server::{Answer, Record, Request};
use rusqlite::Connection;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const PAGES: u32 = 250;
const KILLS: usize = 20;
/// So many requests after the one that we wait for, the server falls silent: however slow this test is, nobody runs away.
const LEAD: usize = 2;
const WATCHDOG: Duration = Duration::from_secs(60);
const SIGKILL: i32 = 9;

/// Numbers that are the same in every run of the test (Knuth's MMIX).
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// A third of the time while a page is asked for, otherwise once it has been sent: then it is read and stored.
fn is_reached(record: &Record, requests: usize, is_sent: bool) -> bool {
    let sent = record.requests.iter().filter(|seen| seen.left.is_some()).count();
    if is_sent { sent >= requests } else { record.len() >= requests }
}

fn faulty(number: usize, request: &Request) -> Answer {
    match number % 13 {
        4 => Answer::status(503),
        7 => Answer::drop_mid_body(),
        9 => Answer::reset_before(),
        _ => page(request, PAGES),
    }
}

#[test]
fn killed_twenty_times_it_still_ends_with_exactly_the_servers_customers() {
    let setting = Setting::with_pages(PAGES);
    let (requests, silent_from) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let is_silent = Arc::clone(&silent_from);
    let answer = move |request: &_| match requests.fetch_add(1, Ordering::Relaxed) {
        number if number >= is_silent.load(Ordering::Relaxed) => Answer::never(),
        number => faulty(number, request),
    };
    setting.server.respond("/customers", answer).unwrap();
    let mut seeded = Seeded(5);
    for _ in 0..KILLS {
        let wanted = setting.server.record().len() + 1 + seeded.below(8);
        let is_sent = seeded.below(3) > 0;
        silent_from.store(wanted + LEAD, Ordering::Relaxed);
        let mut program = setting.program().stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        setting.server.wait_for(WATCHDOG, |record| is_reached(record, wanted, is_sent)).unwrap();
        for _ in 0..seeded.below(200_000) {
            std::hint::spin_loop();
        }
        program.kill().unwrap();
        assert_eq!(program.wait().unwrap().signal(), Some(SIGKILL), "it was still at work");
        if seeded.below(2) == 0 {
            check_position(&setting);
        }
    }
    silent_from.store(usize::MAX, Ordering::Relaxed);
    setting.run().is(0, "pages");
    assert_eq!(setting.customers(), expected(PAGES));
    let asked = setting.server.record().requests.iter().filter(|seen| seen.query.is_none()).count();
    assert!(asked <= 4, "it goes on and does not start over: the first page was asked for {asked} times");
}

#[test]
fn after_ctrl_c_it_says_how_to_go_on() {
    let setting = Setting::with_pages(3);
    let silent = |request: &Request| if request.query.is_some() { Answer::never() } else { page(request, 3) };
    setting.server.respond("/customers", silent).unwrap();
    let program = setting.program().stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    setting.server.wait_for(WATCHDOG, |record| record.len() == 2 && record.in_flight() == 1).unwrap();
    Command::new("kill").args(["-INT", &program.id().to_string()]).status().unwrap();
    let ending = program.wait_with_output().unwrap();
    assert_eq!(ending.status.code(), Some(130));
    assert!(String::from_utf8(ending.stderr).unwrap().contains("interrupted; run it again to go on"));
    setting.server.respond("/customers", |request| page(request, 3)).unwrap();
    setting.run().is(0, "pages          2");
    assert_eq!(setting.customers(), expected(3));
}

/// At any moment there are the customers of the pages before the position, and no others.
fn check_position(setting: &Setting) {
    let connection = Connection::open(setting.database()).unwrap();
    let is_ready: bool = connection.query_row("SELECT count(*) > 0 FROM sqlite_schema", [], |row| row.get(0)).unwrap();
    if is_ready {
        let pages: u32 = connection.query_row("SELECT pages FROM import", [], |row| row.get(0)).unwrap();
        assert_eq!(setting.customers(), expected(pages));
    }
}
