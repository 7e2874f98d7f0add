use crate::support::{Ending, Setting, WATCHDOG, expected, page};
use flaky_server::{Answer, Record, Request};
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const PAGES: u32 = 200;
/// So many requests after the one that we wait for, the server falls silent: however slow this test is, nobody runs away.
const LEAD: usize = 2;
const ASIDE: &str = ".rows.jsonl.apifetch-pages";

/// Numbers that are the same in every run of the test (Knuth's MMIX).
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

fn sent(record: &Record) -> usize {
    record.requests.iter().filter(|seen| seen.left.is_some()).count()
}

/// The program with the third page never coming.
fn stuck_on_page_three(setting: &Setting) -> Child {
    let stuck = |request: &Request| if request.parameter("cursor") == Some("2") { Answer::never() } else { page(request, 5) };
    setting.server.respond("/rows", stuck).unwrap();
    let program = setting.program("rows.jsonl", &[]).stderr(Stdio::null()).spawn().unwrap();
    setting.server.wait_for(WATCHDOG, |record| record.in_flight() == 1 && record.len() == 3).unwrap();
    setting.server.respond("/rows", |request| page(request, 5)).unwrap();
    program
}

#[test]
fn killed_at_twenty_points_it_never_leaves_half_a_file() {
    let setting = Setting::new();
    let (requests, silent_from) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let is_silent = Arc::clone(&silent_from);
    let answer = move |request: &_| match requests.fetch_add(1, Ordering::Relaxed) {
        number if number >= is_silent.load(Ordering::Relaxed) => Answer::never(),
        _ => page(request, PAGES),
    };
    setting.server.respond("/rows", answer).unwrap();
    let mut seeded = Seeded(7);
    for _ in 0..20 {
        let before = setting.server.record();
        let (wanted, is_sent) = (before.len() + 1 + seeded.below(6), seeded.below(3) > 0);
        silent_from.store(wanted + LEAD, Ordering::Relaxed);
        let mut program = setting.program("rows.jsonl", &["--resume"]).stderr(Stdio::null()).spawn().unwrap();
        let is_reached = |record: &Record| if is_sent { sent(record) >= wanted } else { record.len() >= wanted };
        setting.server.wait_for(WATCHDOG, is_reached).unwrap();
        for _ in 0..seeded.below(200_000) {
            std::hint::spin_loop();
        }
        program.kill().unwrap();
        assert_eq!(program.wait().unwrap().signal(), Some(9), "it was still at work");
        assert_eq!(setting.files(), [ASIDE], "the file is not there before it is whole");
    }
    silent_from.store(usize::MAX, Ordering::Relaxed);
    setting.run("rows.jsonl", &["--resume"]).is(0, "200 pages, 600 records");
    assert_eq!(setting.read("rows.jsonl"), expected(PAGES));
    assert!(setting.asked().iter().filter(|query| query.is_none()).count() <= 3, "it goes on and does not start over");
}

#[test]
fn killed_once_the_last_page_has_come_it_leaves_the_whole_file_or_none() {
    let mut seeded = Seeded(11);
    for _ in 0..10 {
        let setting = Setting::with_pages(30);
        let mut program = setting.program("rows.jsonl", &[]).stderr(Stdio::null()).spawn().unwrap();
        setting.server.wait_for(WATCHDOG, |record| sent(record) >= 30).unwrap();
        for _ in 0..seeded.below(400_000) {
            std::hint::spin_loop();
        }
        let _ = program.kill();
        program.wait().unwrap();
        if setting.path("rows.jsonl").exists() {
            assert_eq!(setting.read("rows.jsonl"), expected(30));
        }
        setting.run("rows.jsonl", &["--resume"]).is(0, "30 pages, 90 records");
        assert_eq!(setting.read("rows.jsonl"), expected(30));
        assert_eq!(setting.files(), ["rows.jsonl"]);
    }
}

#[test]
fn after_ctrl_c_resume_goes_on() {
    let setting = Setting::new();
    let program = stuck_on_page_three(&setting);
    Command::new("kill").args(["-INT", &program.id().to_string()]).status().unwrap();
    let ending = program.wait_with_output().unwrap();
    assert_eq!(ending.status.code(), Some(130));
    assert_eq!(setting.files(), [ASIDE]);
    let resumed = setting.run("rows.jsonl", &["--resume"]);
    resumed.is(0, "going on after page 2");
    assert_eq!(setting.read("rows.jsonl"), expected(5));
    let asked: Vec<String> = setting.asked().into_iter().map(Option::unwrap_or_default).collect();
    assert_eq!(asked, ["", "cursor=1", "cursor=2", "cursor=2", "cursor=3", "cursor=4"]);
}

#[test]
fn without_resume_it_starts_over_and_says_so() {
    let setting = Setting::new();
    let mut program = stuck_on_page_three(&setting);
    program.kill().unwrap();
    program.wait().unwrap();
    setting.run("rows.jsonl", &[]).is(0, "starting over; --resume would have gone on");
    assert_eq!(setting.read("rows.jsonl"), expected(5));
    setting.run("rows.jsonl", &["--resume"]).is(0, "nothing to resume; starting");
}

#[test]
fn a_page_that_was_half_written_is_fetched_again() {
    let setting = Setting::new();
    let mut program = stuck_on_page_three(&setting);
    program.kill().unwrap();
    program.wait().unwrap();
    let mut aside = std::fs::File::options().append(true).open(setting.path(ASIDE)).unwrap();
    aside.write_all(b"{\"style\":\"Cursor\",\"next\":\"http://x/\",\"records\":[{\"row\":99},\xc3").unwrap();
    setting.run("rows.jsonl", &["--resume"]).is(0, "5 pages, 15 records");
    assert_eq!(setting.read("rows.jsonl"), expected(5));
}

#[test]
fn what_was_begun_with_another_url_is_not_continued() {
    let setting = Setting::new();
    let mut program = stuck_on_page_three(&setting);
    program.kill().unwrap();
    program.wait().unwrap();
    let mut other = Command::new(env!("CARGO_BIN_EXE_apifetch"));
    other.arg(setting.server.url("/others")).args(["--out", "rows.jsonl", "--max-pages", "9", "--resume"]);
    Ending::of(other.current_dir(setting.folder.path())).is(2, "was begun with another URL; leave out --resume");
    assert_eq!(setting.server.record().len(), 3);
}

#[test]
fn an_aside_file_that_is_damaged_is_told() {
    let setting = Setting::with_pages(2);
    std::fs::write(setting.path(ASIDE), "Dear Ali,\n").unwrap();
    setting.run("rows.jsonl", &["--resume"]).is(2, "is damaged");
    setting.run("rows.jsonl", &[]).is(0, "2 pages");
}

#[test]
fn two_at_once_do_not_write_the_same_file() {
    let setting = Setting::new();
    let mut program = stuck_on_page_three(&setting);
    setting.run("rows.jsonl", &["--resume"]).is(2, "another apifetch is at work on this file");
    program.kill().unwrap();
    program.wait().unwrap();
    setting.run("rows.jsonl", &["--resume"]).is(0, "5 pages");
}
