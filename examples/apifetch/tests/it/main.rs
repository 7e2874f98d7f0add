//! The program as a process, against a server that fails on purpose.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod disk;
mod endings;
mod files;
mod interrupted;
mod support;
