//! The runtime of `resilient-fn`.
#[doc(hidden)]
pub mod __private {}
