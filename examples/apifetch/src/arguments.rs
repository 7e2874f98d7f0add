use clap::{Parser, ValueEnum};
use reqwest::Url;
use resilient::Rate;
use std::path::PathBuf;
use std::time::Duration;

/// Brings all pages of a JSON API into one CSV or JSON lines file, whole or not at all.
///
/// The pages are collected in a hidden file beside the output, which --resume continues. A token for the API is read from the
/// environment variable `APIFETCH_TOKEN` and sent as `Authorization: Bearer`.
#[derive(Debug, Parser)]
#[command(version)]
#[command(after_help = "Exit codes: 2 wrong arguments, 3 the API refuses (401, 403, 404), 4 it cannot be reached or is not well, \
                        5 its pages cannot be understood, 6 the file cannot be written, 130 interrupted.")]
pub(crate) struct Arguments {
    /// Address of the first page
    #[arg(value_parser = url)]
    pub(crate) url: Url,
    /// The file to write: .csv, .jsonl or .ndjson, or say --format
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Stop after so many pages
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_pages: u64,
    /// At most so many requests: 5 (a second), 100/s, 30/min, 5000/h [default: no limit]
    #[arg(long, value_name = "R")]
    pub(crate) rate: Option<Rate>,
    /// How often a request that failed is tried again
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) retries: u32,
    /// How long an attempt may take
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(crate) timeout: Duration,
    /// Go on where an earlier run with the same URL and file stopped
    #[arg(long)]
    pub(crate) resume: bool,
    /// What to write [default: by the file's extension]
    #[arg(long)]
    pub(crate) format: Option<Format>,
    /// How pages name the next one
    #[arg(long, default_value = "auto")]
    pub(crate) paging: Paging,
    /// Where a page has its records, such as data.items [default: the page itself, or its only list]
    #[arg(long, value_name = "FIELD")]
    pub(crate) items: Option<String>,
    /// Where a page has the next cursor or address, such as meta.next [default: the usual places]
    #[arg(long, value_name = "FIELD")]
    pub(crate) cursor_field: Option<String>,
    /// The parameter that takes a cursor
    #[arg(long, value_name = "NAME", default_value = "cursor")]
    pub(crate) cursor_param: String,
    /// The parameter that takes a page number
    #[arg(long, value_name = "NAME", default_value = "page")]
    pub(crate) page_param: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Csv,
    Jsonl,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Paging {
    /// What the first page shows: a Link header, a cursor, or a page number in the URL
    Auto,
    /// The Link header with rel="next"
    Link,
    /// A cursor or an address in the page
    Cursor,
    /// Numbers, until a page is empty
    Page,
    /// There is but one page
    None,
}

impl Arguments {
    pub(crate) fn format(&self) -> Result<Format, String> {
        let extension = self.out.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        match (self.format, extension) {
            (Some(format), _) => Ok(format),
            (None, "csv") => Ok(Format::Csv),
            (None, "jsonl" | "ndjson") => Ok(Format::Jsonl),
            (None, _) => Err(format!("{} is neither .csv nor .jsonl; say --format", self.out.display())),
        }
    }
}

fn url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if matches!(url.scheme(), "http" | "https") { Ok(url) } else { Err("it must begin with http:// or https://".to_owned()) }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.filter(|time| !time.is_zero()).ok_or_else(|| "it must be a number of seconds above zero".to_owned())
}
