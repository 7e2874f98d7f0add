//! A program whose policy is changed while it runs.
//!
//! `cargo run --example configured` calls a flaky service, says every second what holds and how it went, and takes every change of
//! `resilient.toml` beside this file, or of the file given as an argument. `--seconds 60` ends it earlier than after ten minutes.
//! `--demo` changes a copy of the file by itself and checks that each change took effect.

mod arguments;
mod demo;
mod events;
mod quotes;
mod status;

use arguments::Arguments;
use events::Events;
use quotes::Quotes;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/configured/resilient.toml");

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::read()?;
    let events = Events::default();
    tracing_subscriber::registry().with(events.clone()).init();
    if arguments.is_demo {
        return demo::run(&events);
    }
    let path = arguments.file.unwrap_or_else(|| FILE.into());
    resilient::configure().file(&path).env("CONFIGURED").watch(Duration::from_millis(250)).install()?;
    println!("{} is watched for {} s", path.display(), arguments.seconds);
    tokio::runtime::Runtime::new()?.block_on(calls(Duration::from_secs(arguments.seconds)))
}

/// One call after the other, as fast as the rate lets them.
async fn calls(time: Duration) -> anyhow::Result<ExitCode> {
    let (quotes, start) = (Quotes::start()?, Instant::now());
    let mut second = status::Second::new(&quotes);
    while start.elapsed() < time {
        quotes.weather(start.elapsed())?;
        second.note(&quotes.latest().await);
        if second.is_over() {
            println!("{:>5} s  {}", start.elapsed().as_secs(), second.line(&quotes));
            second = status::Second::new(&quotes);
        }
        // An open circuit refuses at once, and nobody wants to hear that a thousand times a second.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(ExitCode::SUCCESS)
}
