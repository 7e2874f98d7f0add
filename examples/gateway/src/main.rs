//! A gateway: clients ask it for products, and it asks a service for prices and stock. Neither too many clients nor a service that fails
//! bring it down.
//!
//! | variable | what it is | without it |
//! |---|---|---|
//! | `GATEWAY_UPSTREAM` | where prices and stock are, such as `http://shop.internal:8080` | a server that fails now and then, started here |
//! | `GATEWAY_LISTEN` | the address to listen on | `127.0.0.1:3000` |
//! | `GATEWAY__…` | settings of resilience: `GATEWAY__BREAKERS__PRICES__FAILURE_THRESHOLD=3` | those in the code |
//!
//! It ends on ctrl-c and SIGTERM, when the requests that it has are answered. Its exit code is 0 then, 2 if a variable is wrong, and 1 if
//! anything else keeps it from serving.

mod demo;
mod problem;
mod products;
mod settings;
mod shop;
mod shutdown;

use settings::{Settings, SettingsError};
use shop::Shop;
use std::process::ExitCode;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gateway: {error:#}");
            ExitCode::from(if error.is::<SettingsError>() { 2 } else { 1 })
        }
    }
}

async fn serve() -> anyhow::Result<()> {
    let guard = products::guard()?;
    let settings = Settings::from_env()?;
    let (shop, _demo) = match settings.upstream {
        Some(url) => (Shop::at(url)?, None),
        None => demo::start().map(|(shop, server)| (shop, Some(server)))?,
    };
    let listener = TcpListener::bind(settings.listen)
        .await
        .map_err(|error| anyhow::anyhow!("cannot listen on {}: {error}", settings.listen))?;
    println!("listening on http://{}", listener.local_addr()?);
    shutdown::serve(listener, products::router(shop, guard)).await
}
