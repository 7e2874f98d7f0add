//! Every case, with everybody who can do it.

mod breaker;
mod bucket;
pub mod keyed;
mod once_more;
mod peers;
mod refused;
mod retry;
mod services;
mod timed;
mod together;

use crate::contender::Case;

/// In the order of the table.
#[must_use]
pub fn all() -> Vec<Case> {
    let [consecutive, consecutive_contended, ratio, ratio_contended] = breaker::cases();
    let [together, contended] = together::cases();
    let [ready, pending] = timed::cases();
    let [open, empty] = refused::cases();
    let [retry, retry_async] = retry::cases();
    let cases = [consecutive, consecutive_contended, ratio, ratio_contended, bucket::case(), retry, retry_async];
    let more = [together, contended, ready, pending, open, empty, once_more::case()];
    cases.into_iter().chain(more).chain(keyed::cases()).collect()
}
