//! Who waits for a token, so that a change of the rate reaches them in their sleep.

use crate::sync::{Mutex, lock};
use std::collections::BTreeMap;
use std::task::Waker;

#[derive(Debug, Default)]
pub(super) struct Sleepers(Mutex<Sleeping>);

#[derive(Debug, Default)]
struct Sleeping {
    last: u64,
    wakers: BTreeMap<u64, Waker>,
}

impl Sleepers {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Sleeping { last: 0, wakers: BTreeMap::new() }))
    }

    /// In the order in which they fell asleep. They stay until they leave: what wakes them may be no change of their rate, and then the
    /// next one must find them.
    pub(super) fn wake_all(&self) {
        let wakers: Vec<Waker> = lock(&self.0).wakers.values().cloned().collect();
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// A place among the sleepers; dropped, it is given up.
#[derive(Debug)]
pub(crate) struct Sleeper<'b> {
    sleepers: &'b Sleepers,
    number: u64,
}

impl<'b> Sleeper<'b> {
    pub(super) fn new(sleepers: &'b Sleepers, waker: Waker) -> Self {
        let mut sleeping = lock(&sleepers.0);
        sleeping.last += 1;
        let number = sleeping.last;
        sleeping.wakers.insert(number, waker);
        drop(sleeping);
        Self { sleepers, number }
    }

    /// From now on that waker is woken.
    #[cfg(feature = "tokio")]
    pub(crate) fn wake(&self, waker: &Waker) {
        if let Some(ours) = lock(&self.sleepers.0).wakers.get_mut(&self.number) {
            ours.clone_from(waker);
        }
    }
}

impl Drop for Sleeper<'_> {
    fn drop(&mut self) {
        let waker = lock(&self.sleepers.0).wakers.remove(&self.number);
        drop(waker);
    }
}
