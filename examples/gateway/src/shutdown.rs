//! How the gateway ends: no new requests, and an answer to each that it has.

use axum::Router;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal;

/// Longer than any request takes; only clients that do not read their answers need more.
const GRACE: Duration = Duration::from_secs(15);

pub(crate) async fn serve(listener: TcpListener, app: Router) -> anyhow::Result<()> {
    tokio::select! {
        served = axum::serve(listener, app).with_graceful_shutdown(asked_to_stop()) => served?,
        () = grace_is_over() => anyhow::bail!("clients have not taken their answers within {GRACE:?}"),
    }
    println!("stopped");
    Ok(())
}

async fn asked_to_stop() {
    wait_for_signal().await;
    println!("stopping: open requests are answered, new ones refused");
}

async fn grace_is_over() {
    wait_for_signal().await;
    tokio::time::sleep(GRACE).await;
}

async fn wait_for_signal() {
    tokio::select! {
        _ = signal::ctrl_c() => {}
        () = terminated() => {}
    }
}

#[cfg(unix)]
async fn terminated() {
    match signal::unix::signal(signal::unix::SignalKind::terminate()) {
        Ok(mut terminated) => drop(terminated.recv().await),
        Err(error) => {
            tracing::error!("SIGTERM cannot be heard: {error}");
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending::<()>().await;
}
