use super::calls::Nothing;
use resilient::Policy;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::body::Body;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Request, Response, Status};

/// What the server does with a call.
#[derive(Clone)]
pub(super) enum Answer {
    Status(Status),
    Reset(h2::Reason),
    Never,
    /// What that policy lets through is answered, the rest refused.
    By(Policy),
}

impl Answer {
    pub(super) fn of(code: Code) -> Self {
        Self::Status(Status::new(code, "as the script says"))
    }
}

#[derive(Default)]
struct Script {
    answers: VecDeque<Answer>,
    arrivals: Vec<Instant>,
}

/// tonic's own server, which answers by a script and then always well. It ends when it is dropped.
pub(super) struct Server {
    port: u16,
    script: Arc<Mutex<Script>>,
    running: JoinHandle<()>,
}

impl Server {
    pub(super) async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = Arc::new(Mutex::new(Script { answers: answers.into_iter().collect(), ..Script::default() }));
        let asked = Arc::clone(&script);
        let service = tower::service_fn(move |request| answer(Arc::clone(&asked), request));
        let serving = tonic::transport::Server::builder().serve_with_incoming(service, TcpIncoming::from(listener));
        let running = tokio::spawn(async move { serving.await.unwrap() });
        Self { port, script, running }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// When calls came.
    pub(super) fn arrivals(&self) -> Vec<Instant> {
        self.script.lock().unwrap().arrivals.clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.running.abort();
    }
}

async fn answer(script: Arc<Mutex<Script>>, request: http::Request<Body>) -> Result<http::Response<Body>, h2::Error> {
    let next = {
        let mut script = script.lock().unwrap();
        script.arrivals.push(Instant::now());
        script.answers.pop_front()
    };
    let reply = match next {
        Some(Answer::Reset(reason)) => return Err(reason.into()),
        Some(Answer::Never) => std::future::pending().await,
        Some(Answer::Status(status)) => Err(status),
        Some(Answer::By(policy)) => policy.run(|| Ok(())),
        None => Ok(()),
    };
    let handler = tower::service_fn(move |_: Request<()>| std::future::ready(reply.clone().map(Response::new)));
    Ok(tonic::server::Grpc::new(Nothing).unary(handler, request).await)
}
