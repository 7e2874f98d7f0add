//! The gateway as its clients and its shop see it: a process, and sockets on loopback.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod held;
mod program;

use flaky_server::{Answer, FlakyServer};
use held::Held;
use program::{Program, fail};
use reqwest::blocking::{Client, Response, get};
use serde_json::{Value, json};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

const WATCHDOG: Duration = Duration::from_secs(30);

/// So that no slow machine makes the shop look slow.
const PATIENCE: &[(&str, &str)] = &[
    ("GATEWAY__FUNCTIONS__PRICE__TIMEOUT", "20s"),
    ("GATEWAY__FUNCTIONS__PRICE__DEADLINE", "20s"),
    ("GATEWAY__FUNCTIONS__STOCK__TIMEOUT", "20s"),
];

fn shop() -> FlakyServer {
    let shop = FlakyServer::start().unwrap();
    for product in 1..=2 {
        shop.otherwise(&format!("/prices/{product}"), Answer::json(200, r#"{"cents":1250}"#)).unwrap();
        shop.otherwise(&format!("/stock/{product}"), Answer::json(200, r#"{"units":3}"#)).unwrap();
    }
    shop
}

/// A gateway before that shop, which asks for each price once unless the variables say otherwise.
fn before(shop: &FlakyServer, variables: &[(&str, &str)]) -> Program {
    let url = shop.url("/");
    let known = [("GATEWAY_UPSTREAM", url.as_str()), ("GATEWAY__FUNCTIONS__PRICE__RETRIES", "0")];
    Program::start(&[PATIENCE, &known, variables].concat())
}

fn product(gateway: &Program, id: u32) -> Response {
    get(format!("{}/products/{id}", gateway.url)).unwrap()
}

/// Status, `Retry-After`, and the problem in the body.
fn problem(response: Response) -> (u16, Option<u64>, Value) {
    let header = |name| Some(response.headers().get(name)?.to_str().unwrap().to_owned());
    assert_eq!(header("content-type").as_deref(), Some("application/problem+json"), "{response:?}");
    let wait = header("retry-after").map(|wait| wait.parse().unwrap());
    let status = response.status().as_u16();
    let problem: Value = response.json().unwrap();
    assert_eq!(problem["status"], status);
    (status, wait, problem)
}

#[test]
fn a_product_is_shown_through_hiccups_of_the_shop() {
    let shop = shop();
    shop.script("/prices/1", [Answer::status(503), Answer::reset_before()]).unwrap();
    let gateway = before(&shop, &[("GATEWAY__FUNCTIONS__PRICE__RETRIES", "2")]);
    assert_eq!(product(&gateway, 1).json::<Value>().unwrap(), json!({ "id": 1, "cents": 1250, "units": 3 }));
    assert_eq!(shop.record().for_path("/prices/1").len(), 3);
    assert_eq!(
        get(format!("{}/health", gateway.url)).unwrap().json::<Value>().unwrap(),
        json!({ "prices": "Closed", "stock": "Closed" })
    );
}

#[test]
fn a_product_is_shown_without_the_stock_that_nobody_knows() {
    let shop = shop();
    let gateway = before(&shop, &[("GATEWAY__FUNCTIONS__STOCK__TIMEOUT", "50ms")]);
    for answer in [Answer::never(), Answer::status(500), Answer::html()] {
        shop.script("/stock/1", [answer]).unwrap();
        assert_eq!(product(&gateway, 1).json::<Value>().unwrap(), json!({ "id": 1, "cents": 1250, "units": null }));
    }
}

#[test]
fn an_open_circuit_is_a_503_that_says_when_to_come_back_and_the_shop_is_left_alone() {
    let shop = shop();
    shop.outage("/prices/1", Answer::status(500)).unwrap();
    let opens_for_long = [
        ("GATEWAY__BREAKERS__PRICES__FAILURE_THRESHOLD", "1"),
        ("GATEWAY__BREAKERS__PRICES__RECOVERY_TIMEOUT", "1h"),
        ("GATEWAY__BREAKERS__PRICES__MAX_RECOVERY_TIMEOUT", "1h"),
    ];
    let gateway = before(&shop, &opens_for_long);
    assert_eq!(problem(product(&gateway, 1)).0, 502);
    let before = shop.record().for_path("/prices/2").len();
    let (status, wait, problem) = problem(product(&gateway, 2));
    assert_eq!((status, &problem["reason"], &problem["resource"]), (503, &json!("circuit_open"), &json!("prices")));
    assert!((3_000..=3_600).contains(&wait.unwrap()), "{wait:?}");
    assert_eq!(shop.record().for_path("/prices/2").len(), before);
    assert_eq!(
        get(format!("{}/health", gateway.url)).unwrap().json::<Value>().unwrap(),
        json!({ "prices": "Open", "stock": "Closed" })
    );
}

#[test]
fn a_client_too_many_is_a_429_that_says_when_to_come_back() {
    let shop = shop();
    let gateway = before(&shop, &[("GATEWAY__BUCKETS__CLIENTS__RATE", "1/day"), ("GATEWAY__BUCKETS__CLIENTS__BURST", "2")]);
    assert!((0..2).all(|_| product(&gateway, 1).status() == 200));
    let (status, wait, problem) = problem(product(&gateway, 1));
    assert_eq!((status, &problem["reason"], &problem["resource"]), (429, &json!("rate_limited"), &json!("clients")));
    assert!((80_000..=86_400).contains(&wait.unwrap()), "{wait:?}");
    assert_eq!(shop.record().for_path("/prices/1").len(), 2);
}

#[test]
fn a_full_gateway_is_a_503() {
    let shop = Held::start();
    let variables = [("GATEWAY_UPSTREAM", shop.url.as_str()), ("GATEWAY__BULKHEADS__CLIENTS__CONCURRENCY", "1")];
    let gateway = Program::start(&[PATIENCE, &variables].concat());
    let url = format!("{}/products/1", gateway.url);
    let first = thread::spawn(move || get(url).unwrap());
    shop.wait_for_request();
    let (status, wait, problem) = problem(product(&gateway, 1));
    assert_eq!((status, wait, &problem["reason"]), (503, None, &json!("bulkhead_full")));
    shop.answer();
    assert_eq!(first.join().unwrap().status(), 200);
}

#[test]
fn a_shop_that_is_silent_is_a_504() {
    let shop = shop();
    shop.outage("/prices/1", Answer::never()).unwrap();
    let cases = [
        (&[("GATEWAY__FUNCTIONS__PRICE__TIMEOUT", "50ms")][..], "timeout"),
        (
            &[("GATEWAY__FUNCTIONS__PRICE__TIMEOUT__ENABLED", "false"), ("GATEWAY__FUNCTIONS__PRICE__DEADLINE", "50ms")][..],
            "deadline_exceeded",
        ),
    ];
    for (limits, reason) in cases {
        let url = shop.url("/");
        let known = [("GATEWAY_UPSTREAM", url.as_str()), ("GATEWAY__FUNCTIONS__PRICE__RETRIES", "0")];
        let (status, wait, problem) = problem(product(&Program::start(&[&known, limits].concat()), 1));
        assert_eq!((status, wait, &problem["title"]), (504, None, &json!("Gateway Timeout")));
        assert_eq!(problem["reason"], reason);
    }
}

#[test]
fn what_the_shop_says_is_passed_on_where_it_is_the_clients_affair() {
    let shop = shop();
    let gateway = before(&shop, &[]);
    let busy = Duration::from_millis(6_500);
    let cases = [
        (Answer::throttled(busy), (429, Some(7))),
        (Answer::status(503).retry_after(busy), (503, Some(7))),
        (Answer::status(503), (502, None)),
        (Answer::status(401), (502, None)),
        (Answer::status(404), (404, None)),
        (Answer::html(), (502, None)),
        (Answer::reset_before(), (502, None)),
    ];
    for (answer, expected) in cases {
        shop.script("/prices/1", [answer.clone()]).unwrap();
        let (status, wait, problem) = problem(product(&gateway, 1));
        assert_eq!((status, wait), expected, "{answer:?}: {problem}");
        assert!(!problem.to_string().contains("127.0.0.1"), "{problem}");
    }
    assert_eq!(product(&gateway, 1).status(), 200);
}

#[test]
fn asked_to_stop_it_answers_who_has_asked_and_refuses_new_ones() {
    for signal in ["TERM", "INT"] {
        let shop = Held::start();
        let mut gateway = Program::start(&[PATIENCE, &[("GATEWAY_UPSTREAM", &shop.url)]].concat());
        let (url, health) = (format!("{}/products/1", gateway.url), format!("{}/health", gateway.url));
        let connected = Client::new();
        assert_eq!(connected.get(&health).send().unwrap().status(), 200);
        let in_flight = thread::spawn(move || get(url).unwrap());
        shop.wait_for_request();

        gateway.signal(signal);
        gateway.read_until("stopping");
        let address = gateway.url.trim_start_matches("http://").to_owned();
        let start = Instant::now();
        while TcpStream::connect(&address).is_ok() || connected.get(&health).send().is_ok() {
            assert!(start.elapsed() < WATCHDOG, "new connections and requests are still taken");
        }
        assert!(!in_flight.is_finished());

        shop.answer();
        let answer = in_flight.join().unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.json::<Value>().unwrap()["cents"], 1250);
        let (status, said) = gateway.end();
        assert_eq!((status.code(), said.as_str()), (Some(0), "stopped\n"));
    }
}

#[test]
fn without_a_shop_it_has_one_of_its_own() {
    let gateway = Program::start(PATIENCE);
    assert_eq!(product(&gateway, 1).json::<Value>().unwrap(), json!({ "id": 1, "cents": 1250, "units": 3 }));
    assert_eq!(product(&gateway, 2).status(), 200);
    assert_eq!(problem(product(&gateway, 4)).0, 404);
}

#[test]
fn what_is_wrong_with_a_variable_is_said_and_is_exit_code_2() {
    let cases = [
        (("GATEWAY_UPSTREAM", "shop.internal"), "GATEWAY_UPSTREAM is `shop.internal`, but must be a URL such as http://"),
        (("GATEWAY_UPSTREAM", "file:///etc/passwd"), "GATEWAY_UPSTREAM is `file:///etc/passwd`, but must be a URL"),
        (("GATEWAY_LISTEN", "localhost"), "GATEWAY_LISTEN is `localhost`, but must be an address and a port"),
        (("GATEWAY__BREAKERS__PRICES__FAILURE_TRESHOLD", "3"), "did you mean `failure_threshold`"),
        (("GATEWAY__BUCKETS__CLIENTS__RATE", "many"), "GATEWAY__BUCKETS__CLIENTS__RATE"),
        (("GATEWAY__FUNCTIONS__PRIZE__RETRIES", "1"), "did you mean `PRICE`"),
    ];
    for (variable, message) in cases {
        let (code, said) = fail(&[variable]);
        assert!(code == Some(2) && said.contains(message), "{variable:?}: {code:?}\n{said}");
    }
}

#[test]
fn an_address_that_is_taken_is_exit_code_1() {
    let gateway = Program::start(&[]);
    let taken = gateway.url.trim_start_matches("http://");
    let (code, said) = fail(&[("GATEWAY_LISTEN", taken)]);
    assert_eq!(code, Some(1));
    assert!(said.contains(&format!("cannot listen on {taken}: Address already in use")), "{said}");
}
