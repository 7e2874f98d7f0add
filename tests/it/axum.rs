//! Refusals as responses of an axum service, over real sockets.

use crate::support::millis;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Router, body::Body};
use http::StatusCode;
use reqwest::Client;
use resilient::tower::PolicyLayer;
use resilient::{CircuitBreaker, Classify as _, Policy, PolicyBuilder, Rate, Rejected, Verdict, resilient};
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tower::ServiceExt as _;

async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, app).into_future());
    address
}

/// A layer whose refusals are responses, so that routes stay infallible.
macro_rules! guarded {
    ($policy:expr) => {
        PolicyLayer::new($policy.build().unwrap()).once().refuse_with(|rejected| Ok(rejected.into_response()))
    };
}

fn policy(name: &str) -> PolicyBuilder {
    Policy::builder().name(name)
}

async fn ask(address: SocketAddr, path: &str) -> (u16, Option<String>, serde_json::Value) {
    let response = Client::new().get(format!("http://{address}{path}")).send().await.unwrap();
    let header = |name: &str| Some(response.headers().get(name)?.to_str().unwrap().to_owned());
    assert_eq!(header("content-type").as_deref(), Some("application/problem+json"));
    (response.status().as_u16(), header("retry-after"), response.json().await.unwrap())
}

#[tokio::test]
async fn every_refusal_of_a_layer_is_a_problem_with_its_status_and_hint() {
    let open = CircuitBreaker::new().failure_threshold(1).recovery_timeout(Duration::from_secs(3600));
    let ok = || get(async || "fine");
    let hangs = || get(pending::<String>);
    let app = Router::new()
        .route("/open", get(async || StatusCode::BAD_GATEWAY).layer(guarded!(policy("a").breaker_with("axum \"open\"", open))))
        .route("/rate", ok().layer(guarded!(policy("b").rate(Rate::per_hour(1)).max_wait(Duration::ZERO))))
        .route("/full", ok().layer(guarded!(policy("c").concurrency(1).bulkhead("axum full").max_wait(Duration::ZERO))))
        .route("/slow", hangs().layer(guarded!(policy("d").timeout(millis(1)))))
        .route("/late", hangs().layer(guarded!(policy("e").deadline(millis(1)))));
    let address = serve(app).await;
    let first = async |path| Client::new().get(format!("http://{address}{path}")).send().await.unwrap().status();

    assert_eq!(first("/open").await, 502);
    let (status, hint, problem) = ask(address, "/open").await;
    assert_eq!(status, 503);
    assert!((3_000..=3_600).contains(&hint.unwrap().parse::<u32>().unwrap()));
    assert_eq!((&problem["resource"], &problem["reason"]), (&"axum \"open\"".into(), &"circuit_open".into()));

    assert_eq!(first("/rate").await, 200);
    let (status, hint, problem) = ask(address, "/rate").await;
    assert_eq!(status, 429);
    assert!((3_000..=3_600).contains(&hint.unwrap().parse::<u32>().unwrap()));
    assert_eq!((problem.get("resource"), &problem["reason"]), (None, &"rate_limited".into()));

    tokio::spawn(occupy());
    while resilient::bulkhead("axum full").in_flight() == 0 {
        tokio::task::yield_now().await;
    }
    let (status, hint, problem) = ask(address, "/full").await;
    assert_eq!((status, hint, &problem["resource"]), (503, None, &"axum full".into()));

    for (path, reason) in [("/slow", "timeout"), ("/late", "deadline_exceeded")] {
        let (status, hint, problem) = ask(address, path).await;
        assert_eq!((status, hint, &problem["reason"]), (504, None, &reason.into()));
        assert_eq!((&problem["status"], &problem["title"]), (&504.into(), &"Gateway Timeout".into()));
    }
}

#[resilient(bulkhead(name = "axum full", concurrency = 1))]
async fn occupy() -> Result<(), Rejected> {
    pending().await
}

#[tokio::test]
async fn a_handler_returns_refusals_among_its_errors() {
    #[resilient(breaker = "axum handler")]
    async fn price() -> Result<String, Rejected> {
        Ok("1.08".to_owned())
    }

    let address = serve(Router::new().route("/price", get(price))).await;
    resilient::breaker("axum handler").force_open();
    let (status, hint, problem) = ask(address, "/price").await;
    assert_eq!((status, hint, &problem["reason"]), (503, None, &"circuit_open".into()));
    assert!(!problem.to_string().contains("price"), "{problem}");
}

#[tokio::test]
async fn a_refusal_further_in_is_neither_retried_nor_blamed_on_the_service() {
    #[resilient(breaker = "axum further in")]
    async fn price() -> Result<String, Rejected> {
        Ok("1.08".to_owned())
    }

    resilient::breaker("axum further in").force_open();
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let handler = get(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        price()
    });
    let layer = PolicyLayer::new(policy("outer").retries(3).breaker("axum outer").build().unwrap())
        .clone_request(|_: &Request| Some(Request::new(Body::empty())))
        .refuse_with(|rejected| Ok(rejected.into_response()));
    let app = Router::new().route("/", handler.layer(layer));
    let response = app.oneshot(Request::new(Body::empty())).await.unwrap();
    assert_eq!((response.status(), response.classify()), (StatusCode::SERVICE_UNAVAILABLE, Verdict::Ignored));
    assert_eq!((calls.load(Ordering::Relaxed), resilient::breaker("axum outer").failures()), (1, 0));
}

#[tokio::test]
async fn a_whole_router_is_repeated_where_its_requests_can_be() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let handler = async move || match counted.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::OK,
    };
    let layer = PolicyLayer::new(policy("router").retries(3).base_delay(millis(1)).build().unwrap())
        .clone_request(|request: &Request| {
            request.method().is_safe().then(|| {
                let mut copy = Request::new(Body::empty());
                request.uri().clone_into(copy.uri_mut());
                copy
            })
        })
        .refuse_with(|rejected| Ok::<Response, _>(rejected.into_response()));
    let app = Router::new().route("/", get(handler.clone())).route("/", post(handler)).layer(layer);
    let send = |method: http::Method| app.clone().oneshot(Request::builder().method(method).body(Body::empty()).unwrap());
    assert_eq!(send(http::Method::POST).await.unwrap().status(), 503);
    assert_eq!(send(http::Method::GET).await.unwrap().status(), 200);
    assert_eq!(calls.load(Ordering::Relaxed), 3);
}
