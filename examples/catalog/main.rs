//! What a program does around its calls, and who says so.
//!
//! `cargo run --example catalog` prints every annotated function of this program and of the crate `billing`: each setting, the value that
//! holds, and where it comes from. With `--json` it prints the same for other programs to read.

mod mail;
mod orders;
mod stock;

use orders::Orders;
use resilient::{Concurrency, Overrides};
use std::process::{Command, ExitCode};
use std::time::Duration;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/catalog/resilient.toml");
const VARIABLE: &str = "CATALOG__BUCKETS__STRIPE__RATE";

fn main() -> anyhow::Result<ExitCode> {
    if std::env::var_os(VARIABLE).is_none() {
        return with_variable();
    }
    resilient::configure()
        .bulkhead("db", Concurrency::limit(64))
        .function("catalog::stock::*", Overrides::new().base_delay(Duration::from_millis(20)))
        .file(FILE)
        .env("CATALOG")
        .install()?;
    tokio::runtime::Runtime::new()?.block_on(a_call_of_each())?;

    let catalog = resilient::catalog();
    if std::env::args().any(|argument| argument == "--json") {
        println!("{}", serde_json::to_string_pretty(&catalog)?);
    } else {
        print!("{catalog}");
    }
    Ok(ExitCode::SUCCESS)
}

/// As an operator would start it. A program does not set variables for itself: that is `unsafe`, for good reason.
fn with_variable() -> anyhow::Result<ExitCode> {
    let program = std::env::current_exe()?;
    let status = Command::new(program).args(std::env::args_os().skip(1)).env(VARIABLE, "50/s").status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The catalogue needs none of these. But an error that does not say what it means is found when it is met, and a crate is linked only
/// if something of it is used.
async fn a_call_of_each() -> anyhow::Result<()> {
    let orders = Orders { patience: Duration::from_secs(1), last: 2 };
    orders.find(1).await?;
    orders.submit(1)?;
    orders.cancel(1).await?;
    orders.count()?;
    stock::level(7)?;
    stock::reserve(7).await?;
    stock::delivered(7).await?;
    billing::charge(1)?;
    billing::refund(1)?;
    billing::settlement::sum()?;
    let bounced = mail::send("nobody").is_err() && mail::send("a@b").is_ok();
    anyhow::ensure!(bounced && mail::digest() == 0);
    Ok(())
}
