//! A payment gateway that times out after it has charged, and a client that charges nobody twice.
//!
//! `cargo run --package payments` makes a thousand payments with an idempotency key, and the same without one, at a gateway that fails
//! with about every sixth request; then it reads the gateway's book. It ends with 1 if anybody who sent a key was charged twice, or
//! nobody who sent none.

mod arguments;
mod audit;
mod client;
mod day;
mod fault;
mod ledger;
mod payment;
mod server;
mod summary;

use anyhow::Context as _;
use arguments::{Arguments, USAGE};
use day::{Style, play};
use std::process::ExitCode;
use std::time::Instant;

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let Arguments { payments, seed } = Arguments::read(std::env::args().skip(1)).context(USAGE)?;
    let start = Instant::now();
    let (with_key, without_key) = tokio::try_join!(play(Style::WithKey, payments, seed), play(Style::WithoutKey, payments, seed))?;
    let is_true = summary::print(&with_key, &without_key, start.elapsed());
    Ok(if is_true { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
