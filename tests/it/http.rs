//! What HTTP answers mean, end to end: annotated functions, `reqwest`, real sockets.

use crate::support::{Counter, millis};
use flaky_server::{Answer, FlakyServer, Record};
use reqwest::{Client, Response, StatusCode};
use resilient::{CheckStatus as _, Classify, Rejected, State, StatusError, Verdict, breaker, resilient};
use serde::Deserialize;
use std::future::Future;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

/// Ends what hangs; nothing that works takes so long.
const WATCHDOG: Duration = Duration::from_secs(20);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

#[derive(Debug, thiserror::Error, Classify)]
enum FetchError {
    #[error(transparent)]
    #[classify(transparent)]
    Transport(#[from] reqwest::Error),
    #[error(transparent)]
    #[classify(transparent)]
    Status(#[from] StatusError),
    #[error(transparent)]
    Rejected(#[from] Rejected),
}

impl FetchError {
    fn transport(self) -> reqwest::Error {
        match self {
            Self::Transport(error) => error,
            other => panic!("not an error of the transport: {other}"),
        }
    }

    fn status(self) -> StatusError {
        match self {
            Self::Status(error) => error,
            other => panic!("not a status: {other}"),
        }
    }

    fn rejected(self) -> Rejected {
        match self {
            Self::Rejected(rejected) => rejected,
            other => panic!("not refused: {other}"),
        }
    }
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Receipt {
    ok: bool,
}

const RECEIPT: Receipt = Receipt { ok: true };

#[resilient(retries = 2, base_delay = "1ms", budget = none)]
async fn typed(client: &Client, url: &str) -> Result<Receipt, FetchError> {
    Ok(client.get(url).send().await?.check_status()?.json().await?)
}

#[resilient(retries = 2, base_delay = "1ms", budget = none)]
async fn untyped(client: &Client, url: &str) -> anyhow::Result<Receipt> {
    Ok(client.get(url).send().await?.check_status()?.json().await?)
}

#[resilient(retries = 2, base_delay = "1ms", budget = none)]
async fn response(client: &Client, url: &str) -> reqwest::Result<Response> {
    client.get(url).send().await
}

#[resilient(retries = 2, base_delay = "1ms", budget = none)]
fn sync(client: &reqwest::blocking::Client, url: &str) -> Result<Receipt, FetchError> {
    Ok(client.get(url).send()?.check_status()?.json()?)
}

#[resilient(retries = 2, base_delay = "1ms", budget = none)]
fn sync_response(client: &reqwest::blocking::Client, url: &str) -> reqwest::Result<reqwest::blocking::Response> {
    client.get(url).send()
}

#[resilient(retries = 2, base_delay = "1ms", budget = none)]
async fn counted(attempts: &Counter, client: &Client, url: &str) -> Result<Receipt, FetchError> {
    attempts.count();
    Ok(client.get(url).send().await?.check_status()?.json().await?)
}

fn client() -> Client {
    Client::builder().timeout(WATCHDOG).build().unwrap()
}

fn sync_client(timeout: Duration) -> reqwest::blocking::Client {
    reqwest::blocking::Client::builder().timeout(timeout).build().unwrap()
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn server_with(answers: impl IntoIterator<Item = Answer>) -> FlakyServer {
    let server = FlakyServer::start().unwrap();
    server.script("/", answers).unwrap();
    server
}

/// How many requests each function makes that reads a receipt, when all is well after this first answer.
fn requests_for_a_receipt(first: &Answer) -> [usize; 3] {
    let typed = recorded(first, |url| run(async { typed(&client(), url).await.is_ok() }));
    let untyped = recorded(first, |url| run(async { untyped(&client(), url).await.is_ok() }));
    let sync = recorded(first, |url| sync(&sync_client(WATCHDOG), url).is_ok());
    [typed, untyped, sync].map(|(is_ok, record)| {
        assert_eq!(is_ok, record.len() == 2, "{first:?}");
        record.len()
    })
}

/// The same for the functions that return the response as it is.
fn requests_for_a_response(first: &Answer) -> [usize; 2] {
    let response = recorded(first, |url| run(async { response(&client(), url).await.is_ok() }));
    let sync = recorded(first, |url| sync_response(&sync_client(WATCHDOG), url).is_ok());
    [response, sync].map(|(is_ok, record)| {
        assert!(is_ok, "{first:?}");
        record.len()
    })
}

fn recorded(first: &Answer, call: impl FnOnce(&str) -> bool) -> (bool, Record) {
    let server = server_with([first.clone()]);
    let is_ok = call(&server.url("/"));
    (is_ok, server.record())
}

#[test]
fn statuses_that_may_pass_are_asked_again() {
    for status in [500, 502, 503, 504, 408, 425, 429] {
        assert_eq!(requests_for_a_receipt(&Answer::status(status)), [2; 3], "{status}");
        assert_eq!(requests_for_a_response(&Answer::status(status)), [2; 2], "{status}");
    }
}

#[test]
fn statuses_that_would_come_again_are_final() {
    for status in [400, 401, 403, 404, 409, 410, 422, 501, 505] {
        assert_eq!(requests_for_a_receipt(&Answer::status(status)), [1; 3], "{status}");
        assert_eq!(requests_for_a_response(&Answer::status(status)), [1; 2], "{status}");
    }
}

#[test]
fn a_connection_that_breaks_before_the_answer_is_tried_again() {
    for broken in [Answer::drop_before(), Answer::reset_before()] {
        assert_eq!(requests_for_a_receipt(&broken), [2; 3], "{broken:?}");
        assert_eq!(requests_for_a_response(&broken), [2; 2], "{broken:?}");
    }
}

/// `{"ok":true}`
const COMPRESSED: &[u8; 31] =
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\xca\xcf\x56\xb2\x2a\x29\x2a\x4d\xad\x05\x00\x90\x5f\xd4\xa7\x0b\x00\x00\x00";

fn compressed(body: impl Into<Vec<u8>>) -> Answer {
    Answer::json(200, body).header("Content-Encoding", "gzip")
}

#[test]
fn a_body_that_breaks_off_is_asked_for_again() {
    let whole = server_with([compressed(COMPRESSED)]);
    assert_eq!(sync(&sync_client(WATCHDOG), &whole.url("/")).unwrap(), RECEIPT);

    let broken = [
        Answer::drop_mid_body(),
        Answer::status(200).cut_mid_body(),
        compressed(COMPRESSED).cut_mid_body(),
        compressed(&COMPRESSED[..COMPRESSED.len() / 2]),
    ];
    for broken in broken {
        assert_eq!(requests_for_a_receipt(&broken), [2; 3], "{broken:?}");
        assert_eq!(requests_for_a_response(&broken), [1; 2], "whoever returns the response reads it alone");
    }
}

#[test]
fn a_whole_body_that_is_something_else_is_final() {
    let garbled = compressed(r#"{"ok":true}"#);
    for wrong in [Answer::html(), Answer::json(200, r#"{"ok":"#), Answer::json(200, r#"{"ok":1}"#), garbled] {
        assert_eq!(requests_for_a_receipt(&wrong), [1; 3], "{wrong:?}");
    }
}

#[test]
fn a_hint_that_says_nothing_changes_nothing() {
    for hint in ["0", "soon", "-1", "Thu, 01 Jan 1970 00:00:00 GMT"] {
        let throttled = Answer::status(429).header("Retry-After", hint);
        assert_eq!(requests_for_a_receipt(&throttled), [2; 3], "{hint}");
    }
}

#[test]
fn a_hint_beyond_max_retry_after_ends_the_call() {
    for status in [429, 503] {
        for answer in [Answer::status(status).retry_after(HOUR), Answer::status(status).retry_after_date(HOUR)] {
            assert_eq!(requests_for_a_receipt(&answer), [1; 3], "{answer:?}");
            assert_eq!(requests_for_a_response(&answer), [1; 2], "{answer:?}");
        }
    }
}

#[test]
fn the_caller_gets_the_last_real_error() {
    let server = server_with([Answer::status(503), Answer::drop_before(), Answer::status(502)]);
    let error = run(async { typed(&client(), &server.url("/")).await }).unwrap_err();
    assert_eq!(error.status().status(), StatusCode::BAD_GATEWAY);

    server.outage("/", Answer::throttled(HOUR)).unwrap();
    let error = sync(&sync_client(WATCHDOG), &server.url("/")).unwrap_err();
    assert_eq!(error.status().retry_after(), Some(HOUR));
    assert_eq!(server.record().len(), 4);
}

#[test]
fn the_caller_gets_the_last_response() {
    let server = server_with([Answer::status(500), Answer::status(500), Answer::status(503)]);
    let last = run(async { response(&client(), &server.url("/")).await }).unwrap();
    assert_eq!(last.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(server.record().len(), 3);
}

/// A date asks for whole seconds: this one for one, whenever it is asked.
const AT_THE_NEXT_SECOND: Duration = Duration::from_nanos(1);

#[test]
fn a_hint_is_waited_for() {
    let in_a_second = [
        Answer::throttled(SECOND),
        Answer::throttled_until_date(AT_THE_NEXT_SECOND),
        Answer::status(503).retry_after(SECOND),
        Answer::status(403).retry_after(SECOND),
    ];
    thread::scope(|scope| {
        for answer in &in_a_second {
            scope.spawn(|| waits_a_second(&recorded(answer, |url| run(async { typed(&client(), url).await.is_ok() }))));
            scope.spawn(|| waits_a_second(&recorded(answer, |url| run(async { untyped(&client(), url).await.is_ok() }))));
            scope.spawn(|| waits_a_second(&recorded(answer, |url| run(async { response(&client(), url).await.is_ok() }))));
            scope.spawn(|| waits_a_second(&recorded(answer, |url| sync(&sync_client(WATCHDOG), url).is_ok())));
        }
    });
}

fn waits_a_second((is_ok, record): &(bool, Record)) {
    assert!(is_ok);
    assert_eq!(record.len(), 2);
    assert!(record.gaps()[0] >= SECOND, "{record:?}");
}

#[test]
fn a_hint_holds_back_whoever_shares_the_bucket() {
    #[resilient(rate = "1000000/s", bucket = "http hint")]
    async fn asks(client: &Client, url: &str) -> Result<Receipt, FetchError> {
        Ok(client.get(url).send().await?.check_status()?.json().await?)
    }

    let server = server_with([Answer::status(503).retry_after(SECOND)]);
    run(async {
        let (client, url) = (client(), server.url("/"));
        assert_eq!(asks(&client, &url).await.unwrap_err().status().retry_after(), Some(SECOND));
        assert_eq!(asks(&client, &url).await.unwrap(), RECEIPT);
    });
    waits_a_second(&(true, server.record()));
}

#[test]
fn error_for_status_has_lost_the_hint() {
    #[resilient(retries = 1, base_delay = "1ms")]
    async fn asks(client: &Client, url: &str) -> reqwest::Result<Receipt> {
        client.get(url).send().await?.error_for_status()?.json().await
    }

    let server = server_with([Answer::throttled(HOUR), Answer::throttled(HOUR)]);
    let error = run(async { asks(&client(), &server.url("/")).await }).unwrap_err();
    assert_eq!((error.status(), server.record().len()), (Some(StatusCode::TOO_MANY_REQUESTS), 2));

    let server = server_with([Answer::status(404)]);
    run(async { asks(&client(), &server.url("/")).await }).unwrap_err();
    assert_eq!(server.record().len(), 1);
}

#[test]
fn a_refused_connection_is_tried_again() {
    let attempts = Counter::default();
    let error = run(async {
        // Bound and not listening, so that nobody else answers at this address.
        let nobody = tokio::net::TcpSocket::new_v4().unwrap();
        nobody.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let url = format!("http://{}/", nobody.local_addr().unwrap());
        counted(&attempts, &client(), &url).await.unwrap_err()
    });
    assert!(error.transport().is_connect());
    assert_eq!(attempts.get(), 3);
}

#[test]
fn a_request_that_cannot_be_built_is_ours() {
    for url in ["nonsense", "ftp://127.0.0.1/"] {
        let attempts = Counter::default();
        let error = run(async { counted(&attempts, &client(), url).await.unwrap_err() });
        assert_eq!((error.classify(), attempts.get()), (Verdict::Ignored, 1), "{url}");
    }
}

#[test]
fn a_redirect_loop_is_final() {
    let attempts = Counter::default();
    let server = FlakyServer::start().unwrap();
    server.otherwise("/", Answer::status(302).header("Location", "/")).unwrap();
    let error = run(async { counted(&attempts, &client(), &server.url("/")).await.unwrap_err() });
    assert!(error.transport().is_redirect());
    assert_eq!(attempts.get(), 1);
}

#[test]
fn the_breaker_hears_what_each_answer_says_of_health() {
    #[resilient(breaker(name = "http verdicts", failure_threshold = 3))]
    async fn asks(client: &Client, url: &str) -> Result<Receipt, FetchError> {
        Ok(client.get(url).send().await?.check_status()?.json().await?)
    }

    let outcomes = [
        (Answer::status(500), 1),
        (Answer::status(404), 0),
        (Answer::drop_before(), 1),
        (Answer::html(), 0),
        (Answer::drop_mid_body(), 1),
        (Answer::status(429), 1),
        (Answer::status(403).retry_after(HOUR), 1),
        (Answer::status(503).retry_after(HOUR), 2),
    ];
    let server = server_with(outcomes.iter().map(|(answer, _)| answer.clone()).chain([Answer::status(500)]));
    let (client, url, payments) = (client(), server.url("/"), breaker("http verdicts"));
    run(async {
        for (answer, failures) in &outcomes {
            asks(&client, &url).await.unwrap_err();
            assert_eq!(payments.failures(), *failures, "{answer:?}");
        }
        asks(&client, "nonsense").await.unwrap_err();
        assert_eq!(payments.failures(), 2);

        asks(&client, &url).await.unwrap_err();
        assert_eq!(payments.state(), State::Open);
        let before = server.record().len();
        assert!(matches!(asks(&client, &url).await.unwrap_err().rejected(), Rejected::CircuitOpen(_)));
        assert_eq!(server.record().len(), before);
    });
}

const PATIENCE: Duration = Duration::from_secs(60);

/// The clock stands still while `spawn_blocking` works, so no attempt is stopped before the server has seen it.
#[tokio::test(start_paused = true)]
async fn an_answer_that_never_comes_is_a_timeout_each_time() {
    #[resilient(retries = 2, base_delay = "1ms", timeout = PATIENCE)]
    async fn asks(client: &Client, url: &str) -> Result<Receipt, FetchError> {
        Ok(client.get(url).send().await?.check_status()?.json().await?)
    }

    let server = Arc::new(server_with([Answer::never(), Answer::never(), Answer::never()]));
    let turning = async {
        for attempt in 1..=3 {
            let server = Arc::clone(&server);
            let arrival = move || server.wait_for(WATCHDOG, |record| record.len() == attempt).map(drop);
            tokio::task::spawn_blocking(arrival).await.unwrap().unwrap();
            tokio::time::sleep(PATIENCE + millis(100)).await;
        }
    };
    let (client, url) = (Client::new(), server.url("/"));
    let (outcome, ()) = tokio::join!(asks(&client, &url), turning);
    let rejected = outcome.unwrap_err().rejected();
    assert!(matches!(rejected, Rejected::Timeout(_)), "{rejected}");
    assert_eq!(rejected.attempts(), 3);
    server.wait_for(WATCHDOG, |record| record.len() == 3 && record.in_flight() == 0).unwrap();
}

#[test]
fn a_timeout_of_the_client_is_tried_again_wherever_it_strikes() {
    #[resilient(retries = 2, base_delay = "1ms")]
    fn asks(attempts: &Counter, client: &reqwest::blocking::Client, url: &str) -> Result<Receipt, FetchError> {
        attempts.count();
        Ok(client.get(url).send()?.check_status()?.json()?)
    }

    for answer in [Answer::never(), Answer::default().body_over(HOUR)] {
        let attempts = Counter::default();
        let server = FlakyServer::start().unwrap();
        server.otherwise("/", answer).unwrap();
        let error = asks(&attempts, &sync_client(millis(50)), &server.url("/")).unwrap_err();
        assert!(error.transport().is_timeout());
        assert_eq!(attempts.get(), 3);
    }
}

/// A stream of HTTP/2 that is reset ends in no `io::Error`.
#[test]
fn a_body_that_is_reset_in_http2_is_transient() {
    const HEAD: &[u8] = b"\0\0\x01\x01\x04\0\0\0\x01\x88";
    const HALF_A_BODY: &[u8] = b"\0\0\x06\0\0\0\0\0\x01{\"ok\":";
    const RESET: &[u8] = b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x02";
    const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";
    const SETTINGS_SEEN: &[u8] = b"\0\0\0\x04\x01\0\0\0\0";

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (has_head, head_is_there) = mpsc::channel();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(WATCHDOG)).unwrap();
        read_request(&mut stream);
        stream.write_all(&[SETTINGS, SETTINGS_SEEN, HEAD, HALF_A_BODY].concat()).unwrap();
        head_is_there.recv_timeout(WATCHDOG).unwrap();
        stream.write_all(RESET).unwrap();
        stream.read_to_end(&mut Vec::new()).ok();
    });
    let error = run(async {
        let client = Client::builder().http2_prior_knowledge().build().unwrap();
        let response = client.get(url).send().await.unwrap();
        has_head.send(()).unwrap();
        response.json::<Receipt>().await.unwrap_err()
    });
    assert!(error.is_decode());
    assert_eq!(error.classify(), Verdict::TRANSIENT);
    server.join().unwrap();
}

/// Reads the preface and frames up to the one that holds the request.
fn read_request(stream: &mut TcpStream) {
    const PREFACE_LENGTH: usize = 24;
    const HEADERS: u8 = 1;
    stream.read_exact(&mut [0; PREFACE_LENGTH]).unwrap();
    let mut head = [0; 9];
    while head[3] != HEADERS {
        stream.read_exact(&mut head).unwrap();
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        stream.read_exact(&mut vec![0; length as usize]).unwrap();
    }
}
