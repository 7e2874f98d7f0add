use crate::support::{Ending, KEY, Setting, expected};
use flaky_server::Answer;
use rusqlite::Connection;
use std::net::TcpListener;

#[test]
fn a_bad_url_is_told() {
    let setting = Setting::with_pages(1);
    let with = |url: &str| setting.run_with("CUSTOMERS_URL", url);
    with("crm.example/customers").is(2, "CUSTOMERS_URL is no address of an API");
    with("ftp://crm.example/").is(2, "it must begin with http:// or https://");
    with(&format!("http://ali:{KEY}@crm.example/")).is(2, "put the key into CUSTOMERS_KEY");
    assert!(setting.server.record().is_empty());
}

#[test]
fn an_api_that_cannot_be_reached_is_told() {
    let setting = Setting::with_pages(1);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ending = setting.run_with("CUSTOMERS_URL", format!("http://{nobody}/customers?token={KEY}"));
    ending.is(4, "the connection to the API failed: ");
}

#[test]
fn an_address_without_customers_is_told() {
    let setting = Setting::with_pages(1);
    setting.server.otherwise("/customers", Answer::status(404)).unwrap();
    setting.run().is(3, "is CUSTOMERS_URL right?");
    assert_eq!(setting.server.record().len(), 1, "it is not tried again");
}

#[test]
fn a_bad_key_ends_at_once() {
    let setting = Setting::with_pages(1);
    setting.run_with("CUSTOMERS_KEY", "wrong").is(3, "is CUSTOMERS_KEY right?");
    assert_eq!(setting.server.record().len(), 1, "it is not tried again");
    setting.run_with("CUSTOMERS_KEY", "two\nlines").is(2, "CUSTOMERS_KEY holds characters that no header may have");
    setting.run_with("CUSTOMERS_KEY", "").is(2, "CUSTOMERS_KEY is not set");
    setting.run_with("CUSTOMERS_URL", "").is(2, "CUSTOMERS_URL is not set");
}

#[test]
fn a_mistake_in_a_setting_is_told() {
    let setting = Setting::with_pages(1);
    setting.run_with("CUSTOMERS_PATIENCE", "long").is(2, "CUSTOMERS_PATIENCE is \"long\", not a number of seconds");
    setting.run_with("CUSTOMERS__BUCKETS__CUSTOMERS__RATE", "often").is(2, "CUSTOMERS__BUCKETS__CUSTOMERS__RATE");
}

#[test]
fn a_database_that_cannot_be_written_is_told_before_anything_is_asked() {
    let setting = Setting::with_pages(1);
    setting.run_with("CUSTOMERS_DB", "/no/such/folder/customers.db").is(6, "/no/such/folder/customers.db cannot be used");
    std::fs::write(setting.folder.path().join("letter.txt"), "Dear Ali, ".repeat(200)).unwrap();
    setting.run_with("CUSTOMERS_DB", "letter.txt").is(6, "letter.txt cannot be used: file is not a database");
    Connection::open(setting.folder.path().join("other.db")).unwrap().execute_batch("CREATE TABLE x (y)").unwrap();
    setting.run_with("CUSTOMERS_DB", "other.db").is(6, "other.db is a database of something else");
    assert!(setting.server.record().is_empty());
}

#[test]
fn customers_of_two_apis_are_not_mixed() {
    let setting = Setting::with_pages(1);
    setting.run().is(0, "");
    let other = Setting::with_pages(2);
    Ending::of(&mut other.program_with(&setting.database())).is(2, "holds the customers of http://");
    assert_eq!(setting.customers(), expected(1));
}

#[test]
fn pages_that_are_none_are_told() {
    let cases = [
        ("<!doctype html>", "expected value at line 1 column 1 (15 bytes of application/json)"),
        (r#"[{"id":1}]"#, "no page of customers"),
        (r#"{"error":"maintenance"}"#, "missing field `customers`"),
        (r#"{"customers":[{"id":1}]}"#, "missing field `next`"),
        (r#"{"customers":{"id":1},"next":null}"#, "expected a sequence"),
        (r#"{"customers":[],"next":[]}"#, "`next` is neither text nor null"),
        (r#"{"customers":[{"id":1},"next":null}"#, "no page of customers"),
    ];
    for (body, words) in cases {
        let setting = Setting::with_page(body);
        setting.run().is(5, words);
        assert_eq!(setting.server.record().len(), 1, "{body} is not asked for again");
        assert_eq!(setting.customers(), []);
    }
}

#[test]
fn a_body_that_is_always_cut_short_is_an_api_that_is_not_well() {
    let setting = Setting::with_pages(1);
    setting.server.otherwise("/customers", Answer::drop_mid_body()).unwrap();
    setting.run().is(4, "the connection to the API failed: ");
    assert_eq!(setting.customers(), []);
}

#[test]
fn a_cursor_that_repeats_does_not_keep_us_for_ever() {
    let setting = Setting::with_page(r#"{"customers":[{"id":1}],"next":"7"}"#);
    setting.run().is(5, "its next page would be `7`, which was there before");
    assert_eq!(setting.server.record().len(), 2);
}

#[test]
fn pages_without_customers_do_not_keep_us_for_ever() {
    let setting = Setting::with_pages(1);
    let endless = |request: &flaky_server::Request| {
        let after: u32 = request.parameter("after").map_or(0, |after| after.parse().unwrap());
        Answer::json(200, format!(r#"{{"customers":[],"next":"{}"}}"#, after + 1))
    };
    setting.server.respond("/customers", endless).unwrap();
    setting.run().is(5, "after 100 pages without customers there is still another");
}

#[test]
fn an_outage_that_outlasts_our_patience_ends_the_import_and_the_next_goes_on() {
    let setting = Setting::with_pages(3);
    let first = Answer::json(200, r#"{"customers":[{"id":1,"name":"Customer 1"}],"next":"5"}"#);
    setting.server.script("/customers", std::iter::once(first).chain(std::iter::repeat_n(Answer::status(503), 5))).unwrap();
    setting.run_with("CUSTOMERS_PATIENCE", "0").is(4, "the API answers with HTTP status 503");
    setting.run().is(0, "resumed");
    let asked = setting.server.record().requests.iter().filter(|seen| seen.query.is_none()).count();
    assert_eq!(asked, 1, "the first page is there already");
}
