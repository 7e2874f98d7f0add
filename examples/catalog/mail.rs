//! Letters to customers: late is better than never, and lost is no disaster.

use resilient::resilient;

/// Its error does not say what it means, and the catalogue says so once a call has failed.
#[derive(Debug)]
pub(crate) struct Bounced;

#[resilient(retries = 1, base_delay = "1ms", concurrency = 4, map_err = |_| Bounced)]
pub(crate) fn send(address: &str) -> Result<(), Bounced> {
    if address.contains('@') { Ok(()) } else { Err(Bounced) }
}

#[resilient(rate = 1, max_wait = none)]
pub(crate) fn digest() -> usize {
    0
}
