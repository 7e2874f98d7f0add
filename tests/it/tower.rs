//! A policy around tower services.

use crate::support::{ServiceError, millis, poll_once, ready};
use flaky_server::{Answer, FlakyServer};
use resilient::testing::TurnedClock;
use resilient::tower::{BoxError, PolicyLayer};
use resilient::{CircuitBreaker, Classify as _, Jitter, Policy, Rejected, State, Verdict, resilient};
use std::convert::Infallible;
use std::error::Error;
use std::future::{pending, poll_fn};
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;
use tower::{Layer as _, Service, ServiceBuilder, ServiceExt as _, service_fn};

const HOUR: Duration = Duration::from_secs(3600);

/// A service that answers from a list and is called only where it was found ready. A clone has to be found ready anew.
#[derive(Debug, Default)]
struct Strict {
    told: Arc<Told>,
    is_ready: bool,
}

#[derive(Debug, Default)]
struct Told {
    outcomes: Mutex<Vec<Result<u32, ServiceError>>>,
    asked: Mutex<Vec<&'static str>>,
    readiness: Mutex<Vec<Poll<Result<(), ServiceError>>>>,
}

impl Strict {
    fn with(outcomes: impl IntoIterator<Item = Result<u32, ServiceError>>) -> (Self, Arc<Told>) {
        let told = Arc::new(Told { outcomes: Mutex::new(outcomes.into_iter().collect()), ..Told::default() });
        (Self { told: Arc::clone(&told), is_ready: false }, told)
    }
}

impl Told {
    fn asked(&self) -> Vec<&'static str> {
        self.asked.lock().unwrap().clone()
    }
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self { told: Arc::clone(&self.told), is_ready: false }
    }
}

impl Service<Request> for Strict {
    type Response = u32;
    type Error = ServiceError;
    type Future = std::future::Ready<Result<u32, ServiceError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ServiceError>> {
        let answer = self.told.readiness.lock().unwrap().pop().unwrap_or(Poll::Ready(Ok(())));
        self.is_ready = answer == Poll::Ready(Ok(()));
        self.told.asked.lock().unwrap().push(if self.is_ready { "ready" } else { "not ready" });
        answer
    }

    fn call(&mut self, _: Request) -> Self::Future {
        assert!(self.is_ready, "called without having been ready");
        self.is_ready = false;
        self.told.asked.lock().unwrap().push("call");
        std::future::ready(self.told.outcomes.lock().unwrap().remove(0))
    }
}

/// A request that counts its clones.
#[derive(Debug, Default)]
struct Request(Arc<AtomicU32>);

impl Clone for Request {
    fn clone(&self) -> Self {
        self.0.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(&self.0))
    }
}

fn by_error<T, E: resilient::Classify>(outcome: &Result<T, E>) -> Verdict {
    outcome.as_ref().map_or_else(E::classify, |_| Verdict::Success)
}

/// What stands in the box: the service's own error, or the refusal.
fn unboxed(error: BoxError) -> ServiceError {
    match error.downcast::<ServiceError>() {
        Ok(error) => *error,
        Err(error) => (*error.downcast::<Rejected>().unwrap()).into(),
    }
}

fn retrying(name: &str) -> Policy {
    Policy::builder().name(name).retries(2).jitter(Jitter::None).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_request_is_repeated_by_the_service_that_was_asked_whether_it_is_ready() {
    let (service, told) = Strict::with([Err(ServiceError::Reset), Err(ServiceError::Reset), Ok(7)]);
    let mut service = PolicyLayer::new(retrying("repeats")).classify(by_error).layer(service);
    let request = Request::default();
    let (clones, start) = (Arc::clone(&request.0), Instant::now());
    assert_eq!(service.ready().await.unwrap().call(request).await.unwrap(), 7);
    assert_eq!(told.asked(), ["ready", "call", "ready", "call", "ready", "call"]);
    assert_eq!(start.elapsed(), millis(100 + 200));
    assert_eq!(clones.load(Ordering::Relaxed), 2);
}

#[test]
fn the_clone_that_takes_the_place_of_a_ready_service_is_not_called_unasked() {
    let (service, told) = Strict::with([Ok(1), Ok(2)]);
    let mut service = PolicyLayer::new(retrying("swaps")).classify(by_error).layer(service);
    for expected in [1, 2] {
        assert_eq!(ready(ready(service.ready()).unwrap().call(Request::default())).unwrap(), expected);
    }
    assert_eq!(told.asked(), ["ready", "call", "ready", "call"]);
}

#[test]
fn the_layer_is_as_ready_as_its_service() {
    let (service, told) = Strict::with([]);
    *told.readiness.lock().unwrap() = vec![Poll::Ready(Err(ServiceError::NotFound)), Poll::Pending];
    let mut service = PolicyLayer::new(retrying("as ready")).classify(by_error).layer(service);
    let mut is_ready = pin!(poll_fn(|context| service.poll_ready(context)));
    assert!(poll_once(is_ready.as_mut()).is_pending());
    let Poll::Ready(Err(error)) = poll_once(is_ready) else { panic!("ready") };
    assert_eq!(unboxed(error), ServiceError::NotFound);
    assert_eq!(told.asked(), ["not ready", "not ready"]);
    let (service, told) = Strict::with([]);
    *told.readiness.lock().unwrap() = vec![Poll::Pending];
    let mut local = PolicyLayer::new(retrying("as ready here")).classify(by_error).local().layer(service);
    assert!(poll_once(pin!(poll_fn(|context| local.poll_ready(context)))).is_pending());
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_not_ready_again_fails_that_attempt() {
    let (service, told) = Strict::with([Err(ServiceError::Reset), Ok(3)]);
    let mut service = PolicyLayer::new(retrying("not ready again")).classify(by_error).layer(service);
    service.ready().await.unwrap();
    *told.readiness.lock().unwrap() = vec![Poll::Ready(Err(ServiceError::Reset))];
    assert_eq!(service.call(Request::default()).await.unwrap(), 3);
    assert_eq!(told.asked(), ["ready", "call", "not ready", "ready", "call"]);
}

#[tokio::test(start_paused = true)]
async fn a_further_attempt_waits_for_the_service_no_longer_than_its_timeout() {
    let (service, told) = Strict::with([Err(ServiceError::Reset), Ok(3)]);
    let policy = Policy::builder().retries(2).jitter(Jitter::None).timeout(millis(500)).build().unwrap();
    let mut service = PolicyLayer::new(policy).classify(by_error).layer(service);
    service.ready().await.unwrap();
    *told.readiness.lock().unwrap() = vec![Poll::Pending, Poll::Pending];
    let start = Instant::now();
    assert_eq!(service.call(Request::default()).await.unwrap(), 3);
    assert_eq!(start.elapsed(), millis(100 + 500 + 200));
    assert_eq!(told.asked(), ["ready", "call", "not ready", "not ready", "ready", "call"]);
}

#[test]
fn nothing_is_cloned_where_nothing_is_repeated() {
    let (service, _) = Strict::with([Err(ServiceError::Reset)]);
    let policy = Policy::builder().breaker("tower clones nothing").build().unwrap();
    let request = Request::default();
    let clones = Arc::clone(&request.0);
    let error = ready(PolicyLayer::new(policy).classify(by_error).layer(service).oneshot(request)).unwrap_err();
    assert_eq!((unboxed(error), clones.load(Ordering::Relaxed)), (ServiceError::Reset, 0));
}

#[test]
fn a_request_that_cannot_be_cloned_runs_once_and_is_judged() {
    let policy = Policy::builder().retries(3).breaker("tower runs once").build().unwrap();
    let layer = PolicyLayer::new(policy).classify(by_error);
    let (service, told) = Strict::with([Err(ServiceError::Reset), Err(ServiceError::Reset)]);
    let unclonable = layer.clone().clone_request(|_: &Request| None).layer(service.clone());
    assert_eq!(unboxed(ready(unclonable.oneshot(Request::default())).unwrap_err()), ServiceError::Reset);
    assert_eq!(unboxed(ready(layer.once().layer(service).oneshot(Request::default())).unwrap_err()), ServiceError::Reset);
    assert_eq!(told.asked(), ["ready", "call", "ready", "call"]);
    assert_eq!(resilient::breaker("tower runs once").failures(), 2);
}

#[test]
fn a_request_that_cannot_be_cloned_pays_for_no_retry() {
    let _clock = TurnedClock::start();
    let policy = Policy::builder().retries(1).shared_budget("tower pays nothing").build().unwrap();
    let layer = PolicyLayer::new(policy).classify(by_error);
    for _ in 0..1_000 {
        let (service, _) = Strict::with([Err(ServiceError::Reset)]);
        assert!(ready(layer.clone().once().layer(service).oneshot(Request::default())).is_err());
    }
    let (service, told) = Strict::with([Err(ServiceError::Reset), Ok(7)]);
    assert_eq!(ready(layer.layer(service).oneshot(Request::default())).unwrap(), 7);
    assert_eq!(told.asked(), ["ready", "call", "ready", "call"]);
}

#[tokio::test(start_paused = true)]
async fn a_request_may_be_cloned_so_often_and_no_more() {
    let (service, told) = Strict::with([Err(ServiceError::Reset), Err(ServiceError::NotFound)]);
    let policy = Policy::builder().retries(9).jitter(Jitter::None).build().unwrap();
    let only_once = |request: &Request| (request.0.fetch_add(1, Ordering::Relaxed) == 0).then(|| Request(Arc::clone(&request.0)));
    let retry_all = |outcome: &Result<u32, ServiceError>| if outcome.is_ok() { Verdict::Success } else { Verdict::TRANSIENT };
    let service = PolicyLayer::new(policy).clone_request(only_once).classify(retry_all).layer(service);
    assert_eq!(unboxed(service.oneshot(Request::default()).await.unwrap_err()), ServiceError::NotFound);
    assert_eq!(told.asked(), ["ready", "call", "ready", "call"]);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_times_out_is_repeated_and_at_last_refused() {
    let attempts = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&attempts);
    let service = service_fn(move |_: u8| {
        counted.fetch_add(1, Ordering::Relaxed);
        pending::<Result<(), Infallible>>()
    });
    let policy = Policy::builder().name("hangs").retries(2).timeout(millis(10)).breaker("tower hangs").build().unwrap();
    let error = PolicyLayer::new(policy).classify(by_error).layer(service).oneshot(1).await.unwrap_err();
    let rejected = error.downcast::<Rejected>().unwrap();
    assert!(matches!(*rejected, Rejected::Timeout(_)));
    assert_eq!((rejected.function(), rejected.attempts(), attempts.load(Ordering::Relaxed)), ("hangs", 3, 3));
    assert_eq!(resilient::breaker("tower hangs").failures(), 3);
}

#[test]
fn a_refusal_is_boxed_or_what_one_makes_of_it() {
    let policy = Policy::builder().name("refuses").breaker("tower refuses").build().unwrap();
    resilient::breaker("tower refuses").force_open();
    let layer = PolicyLayer::new(policy).classify(by_error);
    let (service, told) = Strict::with([]);
    let boxed = ready(layer.clone().layer(service.clone()).oneshot(Request::default())).unwrap_err();
    assert!(matches!(boxed.downcast_ref(), Some(Rejected::CircuitOpen(_))));
    let kept = layer.clone().refuse_with(|rejected| Err(rejected.into())).layer(service.clone());
    let kept: ServiceError = ready(kept.oneshot(Request::default())).unwrap_err();
    assert!(matches!(kept.rejected(), Rejected::CircuitOpen(_)));
    let instead = layer.refuse_with(|_| Ok(0)).layer(service);
    assert_eq!(ready(instead.oneshot(Request::default())), Ok::<_, ServiceError>(0));
    assert_eq!(told.asked(), ["ready"; 3]);
}

#[test]
fn a_refusal_is_not_tried_again() {
    let policy = Policy::builder().name("refuses once").retries(2).breaker("tower refuses once").build().unwrap();
    resilient::breaker("tower refuses once").force_open();
    let (service, told) = Strict::with([]);
    let clock = resilient::testing::TurnedClock::start();
    let boxed = ready(PolicyLayer::new(policy).classify(by_error).layer(service).oneshot(Request::default())).unwrap_err();
    assert!(matches!(boxed.downcast_ref(), Some(Rejected::CircuitOpen(_))));
    assert_eq!((told.asked(), clock.waits()), (vec!["ready"], vec![]));
    let policy = Policy::builder().retries(2).rate(resilient::Rate::per_hour(1)).max_wait(Duration::ZERO).build().unwrap();
    let (service, told) = Strict::with([Ok(1)]);
    let mut service = PolicyLayer::new(policy).classify(by_error).layer(service);
    let mut call = || ready(async { service.ready().await.unwrap().call(Request::default()).await });
    assert_eq!(call().unwrap(), 1);
    assert!(matches!(call().unwrap_err().downcast_ref(), Some(Rejected::RateLimited(_))));
    assert_eq!((told.asked(), clock.waits()), (vec!["ready", "call", "ready"], vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_refused_timeout_is_made_of_the_last_attempt_alone() {
    let policy = Policy::builder().retries(3).timeout(millis(1)).build().unwrap();
    let made = Arc::new(Mutex::new(Vec::new()));
    let keeper = Arc::clone(&made);
    let layer = PolicyLayer::new(policy).classify(by_error).refuse_with(move |rejected| {
        keeper.lock().unwrap().push(rejected.attempts());
        Err(rejected.into())
    });
    let service = layer.layer(service_fn(|_: u8| pending::<Result<(), ServiceError>>()));
    assert!(service.oneshot(1).await.is_err());
    assert_eq!(*made.lock().unwrap(), [4]);
}

#[test]
fn all_services_of_a_layer_share_what_its_policy_has() {
    let policy = Policy::builder().rate(1).max_wait(Duration::ZERO).build().unwrap();
    let layer = PolicyLayer::from(policy).classify(by_error);
    let (service, _) = Strict::with([Ok(1)]);
    let (first, second) = (layer.layer(service.clone()), layer.clone().layer(service));
    assert!(ready(first.clone().oneshot(Request::default())).is_ok());
    for service in [first, second] {
        let rejected = unboxed(ready(service.oneshot(Request::default())).unwrap_err()).rejected();
        assert!(matches!(rejected, Rejected::RateLimited(_)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_future_gives_back_what_it_held() {
    let settings = CircuitBreaker::new().failure_threshold(1).recovery_timeout(Duration::from_secs(1));
    let policy = Policy::builder().breaker_with("tower drops", settings).concurrency(1).bulkhead("tower drops").build().unwrap();
    let layer = PolicyLayer::new(policy).classify(by_error);
    let (breaker, bulkhead) = (resilient::breaker("tower drops"), resilient::bulkhead("tower drops"));
    let (lost, _) = Strict::with([Err(ServiceError::Reset)]);
    assert!(layer.clone().layer(lost).oneshot(Request::default()).await.is_err());
    tokio::time::advance(Duration::from_secs(1)).await;

    let hanging = layer.layer(service_fn(|_: u8| pending::<Result<u32, ServiceError>>()));
    for _ in 0..3 {
        let mut probe = Box::pin(hanging.clone().oneshot(1));
        assert!(poll_once(probe.as_mut()).is_pending());
        assert_eq!((breaker.state(), bulkhead.in_flight()), (State::HalfOpen, 1));
        let refused = hanging.clone().oneshot(1).await.unwrap_err();
        assert!(matches!(unboxed(refused).rejected(), Rejected::CircuitOpen(_)));
        drop(probe);
        assert_eq!((breaker.state(), bulkhead.in_flight()), (State::HalfOpen, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_while_it_waits_sends_nothing_more() {
    let (service, told) = Strict::with([Err(ServiceError::Reset)]);
    let service = PolicyLayer::new(retrying("dropped")).classify(by_error).layer(service);
    assert!(tokio::time::timeout(millis(99), service.oneshot(Request::default())).await.is_err());
    tokio::time::sleep(HOUR).await;
    assert_eq!(told.asked(), ["ready", "call"]);
}

#[tokio::test(start_paused = true)]
async fn calls_in_the_service_are_inside_the_layers_call() {
    #[resilient(retries = 9, base_delay = "1s", jitter = none)]
    async fn inner() -> Result<(), ServiceError> {
        Err(ServiceError::Reset)
    }

    let policy = Policy::builder().deadline(Duration::from_millis(1_500)).build().unwrap();
    let service = PolicyLayer::new(policy).classify(by_error).layer(service_fn(|_: u8| inner()));
    let start = Instant::now();
    assert_eq!(unboxed(service.oneshot(1).await.unwrap_err()), ServiceError::Reset);
    assert_eq!(start.elapsed(), Duration::from_secs(1));
}

#[test]
fn the_future_is_send_and_the_service_is_what_is_inside() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    fn is_shared<T: Send + Sync + Clone>(value: T) -> T {
        value
    }

    let (service, _) = Strict::with([Ok(1)]);
    let mut service = is_shared(PolicyLayer::new(retrying("is send")).classify(by_error).layer(service));
    let mut cx = Context::from_waker(std::task::Waker::noop());
    assert!(service.poll_ready(&mut cx).is_ready());
    assert_eq!(ready(is_send(service.call(Request::default()))).unwrap(), 1);
    assert!(format!("{service:?} {:?}", service.get_ref().told).contains("is send"));
}

#[tokio::test(start_paused = true)]
async fn what_stays_on_its_thread_need_not_be_send() {
    let attempts = Rc::new(std::cell::Cell::new(0));
    let counted = Rc::clone(&attempts);
    let service = service_fn(move |request: Rc<str>| {
        counted.set(counted.get() + 1);
        let attempt = counted.get();
        async move { if attempt < 3 { Err(ServiceError::Reset) } else { Ok(request) } }
    });
    let service = PolicyLayer::new(retrying("local")).classify(by_error).local().layer(service);
    assert_eq!(&*service.oneshot("here".into()).await.unwrap(), "here");
    assert_eq!(attempts.get(), 3);
}

#[tokio::test(start_paused = true)]
async fn it_stacks_with_towers_own_layers() {
    let (service, told) = Strict::with([Err(ServiceError::Reset), Ok(5)]);
    let verdict = |outcome: &Result<u32, BoxError>| match outcome {
        Err(error) if error.is::<ServiceError>() => Verdict::TRANSIENT,
        _ => Verdict::Success,
    };
    let service = ServiceBuilder::new()
        .buffer(4)
        .concurrency_limit(2)
        .layer(PolicyLayer::new(retrying("stacked")).classify(verdict))
        .concurrency_limit(1)
        .map_err(BoxError::from)
        .service(service);
    assert_eq!(service.oneshot(Request::default()).await.unwrap(), 5);
    assert_eq!(told.asked(), ["ready", "call", "ready", "call"]);
}

#[test]
fn errors_without_a_verdict_are_looked_through() {
    #[derive(Debug, thiserror::Error)]
    #[error("the client says")]
    struct ClientError(#[source] io::Error);

    let layer = PolicyLayer::new(Policy::builder().breaker("tower causes").build().unwrap());
    let layer = layer.classify(|outcome: &Result<(), ClientError>| match outcome {
        Ok(()) => Verdict::Success,
        Err(error) => (error as &dyn Error).classify(),
    });
    for (kind, failures) in [(io::ErrorKind::ConnectionReset, 1), (io::ErrorKind::NotFound, 0)] {
        let service = layer.clone().layer(service_fn(move |_: u8| async move { Err(ClientError(kind.into())) }));
        assert!(ready(service.oneshot(1)).is_err());
        assert_eq!(resilient::breaker("tower causes").failures(), failures);
    }
}

mod over_http {
    use super::*;
    use http::StatusCode;
    use hyper_util::client::legacy;
    use hyper_util::rt::TokioExecutor;

    fn fast(name: &str) -> Policy {
        Policy::builder().name(name).retries(2).base_delay(millis(1)).build().unwrap()
    }

    fn server_with(answers: impl IntoIterator<Item = Answer>) -> FlakyServer {
        let server = FlakyServer::start().unwrap();
        server.script("/", answers).unwrap();
        server
    }

    #[tokio::test]
    async fn reqwest_is_a_service_whose_responses_and_errors_say_what_they_mean() {
        let client = ServiceBuilder::new()
            .layer(PolicyLayer::new(fast("tower reqwest")).clone_request(reqwest::Request::try_clone))
            .service(reqwest::Client::new());
        let get = |server: &FlakyServer| {
            client.clone().oneshot(reqwest::Request::new(http::Method::GET, server.url("/").parse().unwrap()))
        };

        let server = server_with([Answer::status(503), Answer::reset_before(), Answer::status(200)]);
        assert_eq!(get(&server).await.unwrap().status(), 200);
        assert_eq!(server.record().len(), 3);

        let server = server_with([Answer::status(404)]);
        assert_eq!(get(&server).await.unwrap().status(), 404);
        assert_eq!(server.record().len(), 1);

        let server = server_with([Answer::status(500), Answer::status(500), Answer::status(502)]);
        assert_eq!(get(&server).await.unwrap().status(), 502);

        let server = server_with([Answer::status(503).retry_after(HOUR)]);
        assert_eq!(get(&server).await.unwrap().status(), 503);
        assert_eq!(server.record().len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_responses_hint_is_waited_for() {
        let start = Instant::now();
        let service = service_fn(move |()| async move {
            let is_early = start.elapsed() < Duration::from_secs(7);
            let response = http::Response::builder().status(if is_early { 503 } else { 200 });
            Ok::<_, Infallible>(response.header("Retry-After", "7").body(()).unwrap())
        });
        let service = PolicyLayer::new(fast("tower hint")).layer(service);
        assert_eq!(service.oneshot(()).await.unwrap().status(), 200);
        assert!(start.elapsed() < millis(7_800));
    }

    #[tokio::test]
    async fn a_body_that_streams_goes_once() {
        let client =
            PolicyLayer::new(fast("tower streams")).clone_request(reqwest::Request::try_clone).layer(reqwest::Client::new());
        let server = server_with([Answer::status(503)]);
        let mut request = reqwest::Request::new(http::Method::PUT, server.url("/").parse().unwrap());
        *request.body_mut() = Some(reqwest::Body::wrap(reqwest::Body::from("unrepeatable")));
        assert_eq!(client.oneshot(request).await.unwrap().status(), 503);
        assert_eq!(server.record().len(), 1);
        assert_eq!(server.record().requests[0].body, b"unrepeatable");
    }

    #[tokio::test]
    async fn hypers_client_is_judged_by_the_causes_of_its_errors() {
        fn verdict<B>(outcome: &Result<http::Response<B>, legacy::Error>) -> Verdict {
            match outcome {
                Ok(response) => response.classify(),
                Err(error) => (error as &dyn Error).classify(),
            }
        }

        let client = legacy::Client::builder(TokioExecutor::new()).build_http::<String>();
        let client = ServiceBuilder::new().layer(PolicyLayer::new(fast("tower hyper")).classify(verdict)).service(client);
        let server = server_with([Answer::reset_before(), Answer::status(502)]);
        let request = http::Request::get(server.url("/")).body(String::new()).unwrap();
        assert_eq!(client.clone().oneshot(request).await.unwrap().status(), StatusCode::OK);
        assert_eq!(server.record().len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_inside_can_be_reached_and_had_back() {
    let (inner, told) = Strict::with([Ok(1)]);
    let layer = PolicyLayer::new(retrying("reached")).classify(by_error::<u32, ServiceError>);
    let mut service = layer.clone().layer(inner);
    service.get_mut().is_ready = true;
    assert!(service.into_inner().is_ready);
    let (inner, _) = Strict::with([]);
    assert!(!layer.local().layer(inner).into_inner().into_inner().is_ready);
    assert!(told.asked().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_service_that_keeps_its_error_type_is_not_ready_with_its_own_error() {
    let (inner, told) = Strict::with([]);
    told.readiness.lock().unwrap().push(Poll::Ready(Err(ServiceError::Reset)));
    let layer = PolicyLayer::new(Policy::builder().concurrency(1).build().unwrap()).classify(by_error).once();
    let mut service = layer.refuse_with(|rejected| Err(rejected.into())).layer(inner);
    assert_eq!(service.ready().await.map(|_| ()), Err(ServiceError::Reset));
}

#[tokio::test(start_paused = true)]
async fn a_call_under_way_is_shown_without_what_is_in_it() {
    let layer = PolicyLayer::new(retrying("shown")).classify(by_error);
    let (one, _) = Strict::with([Ok(1)]);
    let (other, _) = Strict::with([Ok(1)]);
    let shared = layer.clone().layer(one).oneshot(Request::default());
    assert!(format!("{shared:?}").contains("PolicyService"));
    let mut service = layer.clone().layer(other);
    let called = service.ready().await.unwrap().call(Request::default());
    assert_eq!(format!("{called:?}"), "ResponseFuture { .. }");
    let (inner, _) = Strict::with([Ok(1)]);
    let mut local = layer.local().layer(inner);
    let called = local.ready().await.unwrap().call(Request::default());
    assert_eq!(format!("{called:?}"), "LocalResponseFuture { .. }");
}
