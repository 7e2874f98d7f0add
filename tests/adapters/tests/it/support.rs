//! What the topics share.

use crate::servers::WATCHDOG;
use resilient::{Classify, Verdict};
use std::cell::Cell;
use std::future::Future;

/// Retried, and no word on health.
pub(crate) const BUSY: Verdict = Verdict::Throttled { retry_after: None };

/// Counts attempts, and remembers what the failed ones came to.
#[derive(Default)]
pub(crate) struct Attempts {
    begun: Cell<u32>,
    verdicts: std::cell::RefCell<Vec<Verdict>>,
}

impl Attempts {
    /// Whether this is the first one.
    pub(crate) fn begin(&self) -> bool {
        self.begun.set(self.begun.get() + 1);
        self.begun.get() == 1
    }

    pub(crate) fn get(&self) -> u32 {
        self.begun.get()
    }

    pub(crate) fn note<T, E: Classify>(&self, outcome: Result<T, E>) -> Result<T, E> {
        outcome.inspect_err(|error| self.verdicts.borrow_mut().push(error.classify()))
    }

    /// What the failed attempts came to, in turn.
    pub(crate) fn verdicts(&self) -> Vec<Verdict> {
        self.verdicts.borrow().clone()
    }
}

/// Ends what hangs.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(WATCHDOG, future).await.expect("it takes too long")
}
