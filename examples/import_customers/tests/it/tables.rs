use crate::support::{Ending, Setting, expected, page};
use flaky_server::{Answer, Request};
use rusqlite::Connection;
use std::process::Command;
use std::time::Duration;

const ODD: &str = r#"{"customers":[
    {"id":"1","name":null,"orders":"3","vip":true},
    {"id":2,"balance":12.5},
    {"id":3,"balance":"a lot"},
    {"name":"nobody's"},
    "not a record"
],"next":null}"#;

fn refused(setting: &Setting) -> Vec<(i64, i64, Option<i64>, String, String)> {
    let connection = Connection::open(setting.database()).unwrap();
    let mut statement = connection.prepare("SELECT page, place, id, reason, record FROM refused ORDER BY page, place").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

fn dump(setting: &Setting) -> Vec<Vec<rusqlite::types::Value>> {
    let connection = Connection::open(setting.database()).unwrap();
    let mut statement = connection.prepare("SELECT * FROM customers ORDER BY id").unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect()).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn running_twice_gives_the_same_tables() {
    let setting = Setting::with_page(ODD);
    setting.run().is(0, "refused        3");
    let first = (dump(&setting), refused(&setting));
    setting.run().is(0, "refused        3");
    assert_eq!((dump(&setting), refused(&setting)), first);
}

#[test]
fn records_that_cannot_be_read_are_kept_with_the_reason() {
    let setting = Setting::with_page(ODD);
    setting.run().is(0, "rows           2");
    assert_eq!(setting.customers(), [(1, "-".to_owned()), (2, "-".to_owned())]);
    let refused = refused(&setting);
    let of = |place: usize| (refused[place].2, refused[place].3.as_str(), refused[place].4.as_str());
    assert_eq!(of(0), (Some(3), "`balance` is \"a lot\", which is no amount of money", r#"{"id":3,"balance":"a lot"}"#));
    assert_eq!(of(1), (None, "there is no `id`", r#"{"name":"nobody's"}"#));
    assert_eq!(of(2), (None, "it is no object", r#""not a record""#));
}

#[test]
fn faults_on_the_way_are_ridden_out() {
    let setting = Setting::with_pages(4);
    let faults = [
        Answer::status(503),
        Answer::reset_before(),
        Answer::drop_before(),
        Answer::drop_mid_body(),
        Answer::throttled(Duration::from_secs(1)),
    ];
    setting.server.script("/customers", faults).unwrap();
    let ending = setting.run();
    ending.is(0, "retries        5");
    assert_eq!(setting.customers(), expected(4));
    let hinted = setting.server.record().gaps()[4];
    assert!(hinted >= Duration::from_secs(1), "it came back after {hinted:?}");
}

#[test]
fn an_outage_that_opens_the_circuit_is_waited_for() {
    let setting = Setting::with_pages(2);
    let page = |number: u32| {
        let next = if number == 1 { "\"5\"" } else { "null" };
        Answer::json(200, format!(r#"{{"customers":[{{"id":{number},"name":"Customer {number}"}}],"next":{next}}}"#))
    };
    let outage = std::iter::repeat_n(Answer::status(500), 7);
    setting.server.script("/customers", std::iter::once(page(1)).chain(outage).chain([page(2)])).unwrap();
    let ending = setting.run();
    ending.is(0, "rows           2");
    assert!(ending.said.contains("circuit_opened"), "{}", ending.said);
}

#[test]
fn customers_that_the_api_no_longer_has_are_removed() {
    let setting = Setting::with_pages(3);
    setting.run().is(0, "0 removed");
    setting.server.respond("/customers", |request| page(request, 2)).unwrap();
    setting.run().is(0, "5 removed");
    assert_eq!(setting.customers(), expected(2));
}

#[test]
fn nobody_is_removed_while_a_record_might_be_anybodys() {
    let setting = Setting::with_pages(1);
    setting.run().is(0, "");
    setting.server.otherwise("/customers", Answer::json(200, r#"{"customers":[{"name":"?"}],"next":null}"#)).unwrap();
    setting.run().is(0, "0 removed");
    assert_eq!(setting.customers(), expected(1));
}

#[test]
fn a_position_that_the_api_has_forgotten_is_given_up() {
    let setting = Setting::with_pages(3);
    let first = Answer::json(200, r#"{"customers":[],"next":"old"}"#);
    setting.server.script("/customers", [first, Answer::html()]).unwrap();
    setting.run().is(5, "after `old`");
    let answer = |request: &Request| match request.parameter("after") {
        Some("old") => Answer::status(410),
        _ => page(request, 3),
    };
    setting.server.respond("/customers", answer).unwrap();
    setting.run().is(0, "starting over");
    assert_eq!(setting.customers(), expected(3));
}

#[test]
fn a_page_may_be_longer_or_shorter_than_the_others() {
    let setting = Setting::with_pages(1);
    let page = |ids: std::ops::RangeInclusive<u32>, next: &str| {
        let records: Vec<String> = ids.map(|id| format!(r#"{{"id":{id},"name":"Customer {id}"}}"#)).collect();
        Answer::json(200, format!(r#"{{"customers":[{}],"next":{next}}}"#, records.join(",")))
    };
    let pages = [page(1..=1, "1"), page(2..=9, "2"), Answer::json(200, r#"{"customers":[],"next":3}"#), page(10..=10, "null")];
    setting.server.script("/customers", pages).unwrap();
    setting.run().is(0, "pages          4");
    assert_eq!(setting.customers(), expected(2));
}

#[test]
fn without_an_address_it_shows_itself() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_import_customers"));
    program.env_clear().current_dir(folder.path());
    program.env("CUSTOMERS__BREAKERS__CUSTOMERS__RECOVERY_TIMEOUT", "10ms");
    program.env("CUSTOMERS__FUNCTIONS__CUSTOMERS_PAGE__BASE_DELAY", "1ms");
    let ending = Ending::of(&mut program);
    ending.is(0, "pages         18");
    ending.is(0, "rows         435");
    ending.is(0, "1 × for an open circuit");
    assert!(folder.path().join("customers.db").exists());
}
