use crate::support::{Ending, Setting, TOKEN};
use flaky_server::Answer;
use std::net::TcpListener;
use std::process::Command;

fn apifetch(words: &[&str]) -> Ending {
    Ending::of(Command::new(env!("CARGO_BIN_EXE_apifetch")).args(words))
}

#[test]
fn wrong_arguments_are_told() {
    apifetch(&["--out", "x.csv", "--max-pages", "1"]).is(2, "<URL>");
    apifetch(&["api.example", "--out", "x.csv", "--max-pages", "1"]).is(2, "relative URL without a base");
    apifetch(&["ftp://api.example", "--out", "x.csv", "--max-pages", "1"]).is(2, "it must begin with http:// or https://");
    apifetch(&["http://api.example", "--out", "x.csv", "--max-pages", "0"]).is(2, "0 is not in 1..");
    apifetch(&["http://api.example", "--out", "x.csv", "--max-pages", "1", "--rate", "often"]).is(2, "often");
    apifetch(&["http://api.example", "--out", "x.csv", "--max-pages", "1", "--rate", "0"]).is(2, "0");
    apifetch(&["http://api.example", "--out", "x.csv", "--max-pages", "1", "--timeout", "0"]).is(2, "above zero");
}

#[test]
fn an_api_that_cannot_be_reached_is_told() {
    let setting = Setting::new();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_apifetch"));
    program.arg(format!("http://{nobody}/rows?token={TOKEN}")).args(["--out", "rows.csv", "--max-pages", "1", "--retries", "0"]);
    Ending::of(program.current_dir(setting.folder.path())).is(4, "the connection to the API failed: ");
}

#[test]
fn a_refusal_of_the_api_ends_at_once() {
    for (status, words) in
        [(401, "is APIFETCH_TOKEN right?"), (403, "is APIFETCH_TOKEN right?"), (404, "there is nothing at this address")]
    {
        let setting = Setting::new();
        setting.server.otherwise("/rows", Answer::status(status)).unwrap();
        Ending::of(setting.program("rows.csv", &[]).env("APIFETCH_TOKEN", TOKEN)).is(3, words);
        assert_eq!(setting.server.record().len(), 1, "{status} is not tried again");
        assert!(setting.files().is_empty(), "{:?}", setting.files());
    }
}

#[test]
fn a_token_that_no_header_may_have_is_told_without_showing_it() {
    let setting = Setting::new();
    let token = format!("{TOKEN}\n");
    Ending::of(setting.program("rows.csv", &[]).env("APIFETCH_TOKEN", token)).is(2, "characters that no header may have");
}

#[test]
fn an_output_that_cannot_be_written_is_told_before_anything_is_asked() {
    let setting = Setting::with_pages(1);
    setting.run("/no/such/folder/rows.csv", &[]).is(6, "/no/such/folder/.rows.csv.apifetch-pages cannot be written: No such file");
    setting.run("/dev/null", &["--format", "csv"]).is(2, "/dev/null is no file");
    setting.run(".", &["--format", "csv"]).is(2, "is no file");
    assert!(setting.server.record().is_empty());
}

#[test]
fn pages_that_cannot_be_understood_are_told() {
    let cases = [
        (
            "<!doctype html>",
            "page 1 cannot be understood: it is not JSON: expected value at line 1 column 1 (15 bytes of application/json)",
        ),
        (r#"[{"a":1},"#, "it is not JSON"),
        ("7", "it is neither a list nor an object"),
        (r#"{"error":"maintenance"}"#, "there is no list of records among its fields `error`; say --items"),
        (r#"{"data":[1],"next":"http://a:b/"}"#, "its next page has no address"),
    ];
    for (body, words) in cases {
        let setting = Setting::new();
        setting.server.otherwise("/rows", Answer::json(200, body)).unwrap();
        setting.run("rows.csv", &[]).is(5, words);
        assert_eq!(setting.server.record().len(), 1, "{body} is not asked for again");
        assert!(!setting.path("rows.csv").exists());
    }
}

#[test]
fn a_body_that_is_always_cut_short_ends_after_the_retries() {
    let setting = Setting::new();
    setting.server.otherwise("/rows", Answer::drop_mid_body()).unwrap();
    setting.run("rows.csv", &["--retries", "1"]).is(4, "--resume continues");
    assert_eq!(setting.server.record().len(), 2);
}

#[test]
fn an_api_that_is_silent_is_told() {
    let setting = Setting::new();
    setting.server.otherwise("/rows", Answer::never()).unwrap();
    setting.run("rows.csv", &["--retries", "0", "--timeout", "0.05"]).is(4, "took longer than its timeout of 50ms");
}

#[test]
fn pages_without_end_do_not_keep_us_for_ever() {
    let repeats = Setting::new();
    repeats.server.otherwise("/rows", Answer::json(200, r#"{"data":[1],"next":"7"}"#)).unwrap();
    repeats.run("rows.csv", &[]).is(5, "page 2 cannot be understood: it leads back to a page that was there before");
    assert_eq!(repeats.server.record().len(), 2);

    let deaf = Setting::new();
    deaf.server.otherwise("/rows", Answer::json(200, "[1, 2]")).unwrap();
    deaf.run("rows.csv", &["--paging", "page"]).is(5, "the same as the page before; does the API know `page`?");
    assert_eq!(deaf.server.record().len(), 2);

    let endless = Setting::with_pages(u32::MAX);
    endless.run("rows.csv", &[]).is(0, "1000 pages, 3000 records");
    assert_eq!(endless.server.record().len(), 1000);
}
