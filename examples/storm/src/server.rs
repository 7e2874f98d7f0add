//! The upstream behind a socket.

use crate::upstream::Upstream;
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};

/// No storm here has so many requests under way, so none is held back by the protocol.
const MANY: u32 = 100_000;

/// Serves on a free port of 127.0.0.1 until the runtime ends.
pub(crate) async fn serve(upstream: Arc<Upstream>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(connection(stream, Arc::clone(&upstream)));
        }
    });
    Ok(address)
}

/// HTTP/2, where a caller who gives up need not hang up: with a new connection for each of them the machine's sockets would be what
/// breaks down. What was asked for stays in the upstream's queue.
async fn connection(stream: TcpStream, upstream: Arc<Upstream>) {
    let answer = service_fn(|request: Request<Incoming>| {
        let upstream = Arc::clone(&upstream);
        async move {
            drop(request);
            let mut response = Response::new(Empty::<Bytes>::new());
            *response.status_mut() = upstream.answer().await;
            Ok::<_, Infallible>(response)
        }
    });
    let mut http = http2::Builder::new(TokioExecutor::new());
    http.max_concurrent_streams(MANY).max_pending_accept_reset_streams(MANY as usize).max_local_error_reset_streams(None);
    // It ends with the act, when the client hangs up.
    let _ = http.serve_connection(TokioIo::new(stream), answer).await;
}
