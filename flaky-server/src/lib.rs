//! A scripted HTTP/1.1 server that fails as real ones do.
//!
//! It listens on a free loopback port, answers each path from a script or by a function, and keeps a record of every request: when it
//! came, what it held, what it was given. Its faults are faults of real sockets, so any client sees what it would see
//! in production.
//!
//! ```
//! use flaky_server::{Answer, FlakyServer};
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = FlakyServer::start()?;
//! server.script(
//!     "/receipt",
//!     [Answer::status(503), Answer::drop_before(), Answer::throttled(Duration::from_secs(1))],
//! )?;
//!
//! let url = server.url("/receipt");
//! assert_eq!(reqwest::blocking::get(&url)?.status(), 503);
//! assert!(reqwest::blocking::get(&url).is_err());
//! assert_eq!(reqwest::blocking::get(&url)?.headers()["retry-after"], "1");
//! assert_eq!(reqwest::blocking::get(&url)?.text()?, r#"{"ok":true}"#);
//!
//! let record = server.record();
//! assert_eq!(record.statuses(), [Some(503), None, Some(429), Some(200)]);
//! assert_eq!(record.peak_concurrency(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! The server lives on a thread of its own, so synchronous and asynchronous callers use it alike. Dropping it closes
//! every connection, held ones too, and waits for the thread to end.

#![forbid(unsafe_code)]

mod answer;
mod body;
mod connection;
mod error;
mod ledger;
mod record;
mod request;
mod response;
mod script;
mod server;
mod valid;

pub use answer::Answer;
pub use error::Error;
pub use record::{Record, Seen};
pub use request::Request;
pub use server::FlakyServer;
