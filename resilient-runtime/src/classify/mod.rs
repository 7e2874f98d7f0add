//! What the errors and responses of well-known crates mean.

mod boxed;
#[cfg(any(feature = "redis", feature = "sqlx", feature = "tokio-postgres"))]
mod connection;
#[cfg(feature = "http")]
mod http;
mod io;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(feature = "http")]
mod retry_after;
#[cfg(any(feature = "sqlx", feature = "tokio-postgres"))]
mod sqlstate;
#[cfg(feature = "sqlx")]
mod sqlx;
#[cfg(feature = "tokio-postgres")]
mod tokio_postgres;
#[cfg(feature = "tonic")]
mod tonic;

#[cfg(feature = "http")]
pub use http::StatusError;
#[cfg(feature = "reqwest")]
pub use reqwest::CheckStatus;
#[cfg(feature = "http")]
pub use retry_after::retry_after;
