//! What the errors and responses of well-known crates mean.

mod boxed;
#[cfg(feature = "http")]
mod http;
mod io;
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(feature = "http")]
mod retry_after;

#[cfg(feature = "http")]
pub use http::StatusError;
#[cfg(feature = "reqwest")]
pub use reqwest::CheckStatus;
#[cfg(feature = "http")]
pub use retry_after::retry_after;
