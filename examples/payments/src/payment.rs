//! What goes over the wire.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Payment {
    pub(crate) order: u32,
    pub(crate) cents: u64,
}

/// What the gateway says of a charge that it has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Receipt {
    pub(crate) charge: usize,
    pub(crate) cents: u64,
}
