//! The gateway behind a socket, on a free port of 127.0.0.1.

use crate::fault::Fault;
use crate::ledger::Ledger;
use crate::payment::Payment;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;

type Answer = Response<Full<Bytes>>;

#[derive(Clone)]
pub(crate) struct Server {
    seed: u64,
    ledger: Arc<Mutex<Ledger>>,
}

impl Server {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, ledger: Arc::default() }
    }

    /// Serves until the runtime ends.
    pub(crate) async fn serve(&self) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let server = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = server.clone();
                let answer = service_fn(move |request| server.clone().answer(request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
            }
        });
        Ok(address)
    }

    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An `Err` closes the connection without an answer.
    async fn answer(self, request: Request<Incoming>) -> anyhow::Result<Answer> {
        let key = request.headers().get("idempotency-key").map(|key| key.to_str().map(str::to_owned)).transpose()?;
        let body = request.into_body().collect().await?.to_bytes();
        let Ok(payment) = serde_json::from_slice::<Payment>(&body) else { return empty(StatusCode::BAD_REQUEST) };
        let (fault, answer) = self.charge(key, payment)?;
        match fault {
            None => Ok(answer),
            Some(Fault::TimeoutAfterCharge) => future::pending().await,
            Some(Fault::DropAfterCharge) => anyhow::bail!("the connection is lost"),
            Some(Fault::UnavailableAfterCharge | Fault::UnavailableBeforeCharge) => empty(StatusCode::SERVICE_UNAVAILABLE),
            Some(Fault::Throttled) => {
                Ok(Response::builder().status(StatusCode::TOO_MANY_REQUESTS).header("Retry-After", 1).body(Full::default())?)
            }
        }
    }

    fn charge(&self, key: Option<String>, payment: Payment) -> anyhow::Result<(Option<Fault>, Answer)> {
        let mut ledger = self.ledger();
        let request = ledger.note_request(payment.order);
        let fault = Fault::of(self.seed, payment.order, request);
        if let Some(fault) = fault {
            ledger.note_fault(fault);
        }
        if fault.is_some_and(|fault| !fault.has_charged()) {
            return Ok((fault, Answer::default()));
        }
        let answer = match ledger.charge(key, payment) {
            Ok(receipt) => Response::new(Full::from(serde_json::to_vec(&receipt)?)),
            Err(_) => empty(StatusCode::UNPROCESSABLE_ENTITY)?,
        };
        Ok((fault, answer))
    }
}

fn empty(status: StatusCode) -> anyhow::Result<Answer> {
    Ok(Response::builder().status(status).body(Full::default())?)
}
