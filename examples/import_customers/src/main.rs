//! Brings the customers of a REST API into an `SQLite` database, whatever happens on the way.
//!
//! Run it again, or kill it and run it again: the table is the same. Without `CUSTOMERS_URL` it shows itself against a server that
//! fails on purpose.

mod api;
mod customer;
mod demo;
mod error;
mod import;
mod progress;
mod settings;
mod store;
mod summary;
mod tally;

use api::Api;
use demo::Demo;
use error::ImportError;
use import::Import;
use progress::Progress;
use settings::Settings;
use std::process::ExitCode;
use store::Store;
use tally::Tally;
use tokio::signal;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let progress = Progress::start();
    let tally = Tally::listen(&progress);
    let outcome = tokio::select! {
        outcome = import(&progress, &tally) => outcome,
        _ = signal::ctrl_c() => Err(ImportError::Interrupted),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            progress.failed(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

async fn import(progress: &Progress, tally: &Tally) -> Result<(), ImportError> {
    let settings = Settings::from_env()?;
    let demo = settings.is_demo().then(Demo::start).transpose()?;
    if demo.is_some() {
        progress.demonstrates();
    }
    let api = match &demo {
        Some(demo) => Api::new(demo.url()?, demo::key())?,
        None => Api::new(settings.url()?, settings.key()?)?,
    };
    // Once a limit of the API turns out lower: CUSTOMERS__BUCKETS__CUSTOMERS__RATE=5/s
    resilient::configure().env("CUSTOMERS").install()?;
    let source = if demo.is_some() { "demo".to_owned() } else { api.source() };
    let store = Store::open(&settings.database, &source)?;
    let summary = Import::new(&api, store, progress, settings.patience).run().await?;
    progress.finished(&summary, tally);
    Ok(())
}
