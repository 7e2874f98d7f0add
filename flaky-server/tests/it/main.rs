//! Every behaviour of the server, proved on real sockets.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;

mod answers;
mod concurrency;
mod faults;
mod lifecycle;
mod record;
mod refusals;
mod requests;
mod reqwest_client;
mod responders;
mod scripts;
mod slowness;
