//! A service that fails as real ones do, and two annotated functions that live with it.
//!
//! `cargo run --example quickstart` prints what happens and checks it against the server's own record.

mod payments;
mod story;
mod summary;
mod timeline;

use flaky_server::FlakyServer;
use std::process::ExitCode;
use story::Story;
use timeline::Timeline;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

fn main() -> anyhow::Result<ExitCode> {
    let timeline = Timeline::start();
    tracing_subscriber::registry().with(timeline.clone()).init();
    let server = FlakyServer::start()?;
    let story = Story::new(&server, &timeline)?;
    let runtime = tokio::runtime::Runtime::new()?;

    runtime.block_on(story.hiccups())?;
    runtime.block_on(story.throttled())?;
    story.throttled_until_date()?;
    let outage = runtime.block_on(story.outage())?;
    runtime.block_on(story.crowd())?;

    let record = server.record();
    let is_true = summary::print(&record, &outage, &timeline);
    println!("\n{} requests in all, {:.1} s", record.len(), timeline.elapsed().as_secs_f64());
    Ok(if is_true { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
