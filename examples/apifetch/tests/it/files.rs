use crate::support::{Ending, Setting, TOKEN, expected};
use flaky_server::{Answer, FlakyServer, Request};
use std::time::{Duration, Instant};

#[test]
fn a_cursor_is_followed_to_the_end() {
    let setting = Setting::with_pages(4);
    setting.run("rows.jsonl", &[]).is(0, "4 pages, 12 records in rows.jsonl");
    assert_eq!(setting.read("rows.jsonl"), expected(4));
    assert_eq!(setting.files(), ["rows.jsonl"], "nothing is left aside");
}

#[test]
fn a_link_header_is_followed_to_the_end() {
    let setting = Setting::new();
    let link = r#"</rows?page=1>; rel="first", </more>; rel="next""#;
    setting.server.otherwise("/rows", Answer::json(200, r#"[{"a":1}]"#).header("Link", link)).unwrap();
    setting.server.otherwise("/more", Answer::json(200, r#"[{"a":2}]"#)).unwrap();
    setting.run("rows.jsonl", &[]).is(0, "2 pages, 2 records");
    assert_eq!(setting.read("rows.jsonl"), "{\"a\":1}\n{\"a\":2}\n");
}

#[test]
fn page_numbers_are_followed_to_the_first_empty_page() {
    let setting = Setting::new();
    let page = |request: &Request| match request.parameter("page") {
        None | Some("1") => Answer::json(200, r#"[{"a":1},{"a":2}]"#),
        Some("2") => Answer::json(200, r#"[{"a":3}]"#),
        _ => Answer::json(200, "[]"),
    };
    setting.server.respond("/rows", page).unwrap();
    setting.run("rows.csv", &["--paging", "page"]).is(0, "3 pages, 3 records");
    assert_eq!(setting.read("rows.csv"), "a\n1\n2\n3\n");
}

#[test]
fn csv_has_a_column_for_every_field_of_any_record() {
    let setting = Setting::new();
    let first = Answer::json(200, r#"{"data":[{"z":1.10,"a":"x, \"y\"\nz"},{"a":null}],"next":"2"}"#);
    let second = Answer::json(200, r#"{"data":[{"big":12345678901234567890123,"z":true,"deep":{"k": [1]}},"bare"],"next":null}"#);
    setting.server.script("/rows", [first, second]).unwrap();
    setting.run("rows.csv", &[]).is(0, "2 pages, 4 records");
    let lines =
        "z,a,big,deep,value\n1.10,\"x, \"\"y\"\"\nz\",,,\n,,,,\ntrue,,12345678901234567890123,\"{\"\"k\"\": [1]}\",\n,,,,bare\n";
    assert_eq!(setting.read("rows.csv"), lines);
}

#[test]
fn json_lines_are_lines_however_the_api_lays_out_its_json() {
    let setting = Setting::new();
    setting.server.otherwise("/rows", Answer::json(200, "[\n  {\n    \"a\": \"x\\ny\"\r\n  }\n]")).unwrap();
    setting.run("rows.ndjson", &[]).is(0, "1 pages, 1 records");
    let lines = setting.read("rows.ndjson");
    assert_eq!(lines.lines().count(), 1, "{lines}");
    assert!(lines.contains(r#""a": "x\ny""#), "{lines}");
}

#[test]
fn the_format_can_be_said_and_must_be_where_the_name_does_not_tell() {
    let setting = Setting::with_pages(1);
    setting.run("rows", &[]).is(2, "rows is neither .csv nor .jsonl; say --format");
    setting.run("rows", &["--format", "csv"]).is(0, "3 records");
    assert_eq!(setting.read("rows"), "row,text\n0,row 0\n1,row 1\n2,row 2\n");
}

#[test]
fn no_more_pages_come_than_were_asked_for() {
    let setting = Setting::with_pages(9);
    setting
        .run("rows.jsonl", &["--max-pages", "2"])
        .is(0, "2 pages, 6 records in rows.jsonl; the API has more, --max-pages is reached");
    assert_eq!(setting.read("rows.jsonl"), expected(2));
    assert_eq!(setting.server.record().len(), 2);
}

#[test]
fn what_was_there_stays_until_the_new_file_is_whole() {
    let setting = Setting::with_pages(2);
    std::fs::write(setting.path("rows.jsonl"), "old").unwrap();
    setting.server.script("/rows", [Answer::status(404)]).unwrap();
    setting.run("rows.jsonl", &[]).is(3, "404");
    assert_eq!(setting.read("rows.jsonl"), "old");
    setting.run("rows.jsonl", &[]).is(0, "2 pages");
    assert_eq!(setting.read("rows.jsonl"), expected(2));
}

#[test]
fn busy_and_broken_answers_are_ridden_out() {
    let setting = Setting::with_pages(2);
    let faults = [Answer::status(503), Answer::throttled(Duration::from_secs(1)), Answer::drop_before(), Answer::drop_mid_body()];
    setting.server.script("/rows", faults).unwrap();
    let ending = setting.run("rows.jsonl", &[]);
    ending.is(0, "2 pages, 6 records");
    ending.is(0, "HTTP status 503 Service Unavailable; again in ");
    assert_eq!(setting.server.record().len(), 6);
    let hinted = setting.server.record().gaps()[1];
    assert!(hinted >= Duration::from_secs(1), "it came back after {hinted:?}");
}

#[test]
fn a_rate_is_kept() {
    let setting = Setting::with_pages(5);
    let start = Instant::now();
    setting.run("rows.jsonl", &["--rate", "20/s"]).is(0, "5 pages");
    let last = *setting.server.record().arrivals().last().unwrap();
    assert!(last - start >= Duration::from_millis(200), "five requests, 50 ms from one to the next, not {:?}", last - start);
}

#[test]
fn a_slow_rate_is_waited_for_and_not_refused() {
    let setting = Setting::with_pages(1);
    setting.run("rows.jsonl", &["--rate", "1/day"]).is(0, "1 pages");
}

#[test]
fn the_token_goes_to_the_api_and_nowhere_else() {
    let setting = Setting::new();
    let elsewhere = FlakyServer::start().unwrap();
    let next = Answer::json(200, format!(r#"{{"data":[1],"next":"{}"}}"#, elsewhere.url("/steal")));
    setting.server.otherwise("/rows", next).unwrap();
    let ending = Ending::of(setting.program("rows.jsonl", &[]).env("APIFETCH_TOKEN", TOKEN));
    ending.is(5, "which shall not get the token");
    assert_eq!(setting.server.record().requests[0].header("Authorization"), Some(&*format!("Bearer {TOKEN}")));
    assert!(elsewhere.record().is_empty());
}
