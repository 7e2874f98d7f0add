//! Brings all pages of a JSON API into one CSV or JSON lines file, whole or not at all.

mod arguments;
mod download;
mod error;
mod fetch;
mod journal;
mod output;
mod page;
mod paging;
mod status;

use arguments::Arguments;
use clap::Parser as _;
use download::Download;
use error::FetchError;
use status::Status;
use std::process::ExitCode;
use tokio::signal;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let status = Status::start();
    let outcome = tokio::select! {
        outcome = download(&arguments, status) => outcome,
        _ = signal::ctrl_c() => Err(FetchError::Interrupted),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            status.line(&error.told());
            ExitCode::from(error.exit_code())
        }
    }
}

async fn download(arguments: &Arguments, status: Status) -> Result<(), FetchError> {
    fetch::limit(arguments.rate)?;
    let mut download = Download::prepare(arguments, status)?;
    let has_more = download.fetch_pages().await?;
    let finished = download.finish()?;
    let more = if has_more { "; the API has more, --max-pages is reached" } else { "" };
    status.line(&format!("{} pages, {} records in {}{more}", finished.pages, finished.records, arguments.out.display()));
    Ok(())
}
