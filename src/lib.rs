//! One attribute that makes a function survive the network.

#[doc(inline)]
pub use resilient_macros::{Classify, resilient};
#[doc(inline)]
pub use resilient_runtime::*;

#[doc(hidden)]
pub use resilient_runtime::__private;
