//! What the adapters know, tried on real servers: what each fault comes to, and that an annotated function rides it out.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod redis;
mod servers;
mod sqlx;
mod support;
mod tokio_postgres;
mod tonic;
