//! The bulkhead: how many calls are in flight, and who is next.
//!
//! One word holds the waiters and the calls in flight. Without waiters, taking a slot is a compare-and-swap and giving it back a
//! subtraction; the queue's lock is for those who wait, in threads and in tasks alike. Newcomers never overtake.

use crate::keyed::max_keys_problem;
use crate::sync::{AtomicBool, AtomicU64, Mutex, Ordering, lock, seeded, thread};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Waker;

const WAITER: u64 = 1 << 32;
const IN_FLIGHT: u64 = WAITER - 1;

const fn in_flight(word: u64) -> u64 {
    word & IN_FLIGHT
}

/// How many calls may be in flight at once: settings of a [bulkhead shared by name](crate::Configuration::bulkhead).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Concurrency {
    calls: u32,
    max_keys: Option<u32>,
}

impl Concurrency {
    /// At most this many calls, from 1 to 10⁶.
    #[must_use]
    pub const fn limit(calls: u32) -> Self {
        Self { calls, max_keys: None }
    }

    /// With `key`, how many keys have a bulkhead of their own at most: 1 to 10⁷, 10,000 if it is not set.
    #[must_use]
    pub const fn max_keys(mut self, max_keys: u32) -> Self {
        self.max_keys = Some(max_keys);
        self
    }

    pub(crate) const fn own_max_keys(self) -> Option<u32> {
        self.max_keys
    }

    pub(crate) const fn calls(self) -> u32 {
        self.calls
    }

    pub(crate) const fn problem(self) -> Option<&'static str> {
        if self.calls == 0 || self.calls > 1_000_000 {
            return Some("`concurrency` must be from 1 to 1000000");
        }
        max_keys_problem(self.max_keys)
    }
}

/// A bulkhead, private to a function or shared by name: [`bulkhead`](crate::bulkhead).
#[derive(Debug)]
pub struct Bulkhead {
    is_disabled: AtomicBool,
    name: Option<&'static str>,
    word: AtomicU64,
    limit: AtomicU64,
    queue: Mutex<Queue>,
}

/// Who waits, by number: whoever leaves from the middle is not searched for.
#[derive(Debug, Default)]
struct Queue {
    last: u64,
    waiters: BTreeMap<u64, Arc<Waiter>>,
}

#[derive(Debug)]
struct Waiter {
    is_granted: AtomicBool,
    waker: Mutex<Waker>,
}

/// A call in flight.
#[derive(Debug)]
pub(crate) struct Slot<'b>(&'b Bulkhead);

/// A place in the queue; dropped, it is given up, and so is a slot that it was granted.
#[derive(Debug)]
pub(crate) struct Place<'b> {
    bulkhead: &'b Bulkhead,
    number: u64,
    waiter: Arc<Waiter>,
}

impl Bulkhead {
    pub(crate) fn new(name: Option<&'static str>, limit: Concurrency) -> Self {
        Self {
            is_disabled: AtomicBool::new(false),
            name,
            word: AtomicU64::new(0),
            limit: AtomicU64::new(u64::from(limit.calls())),
            queue: Mutex::new(Queue::default()),
        }
    }

    /// Whether configuration has not switched it off; asked when a plan is made.
    pub(crate) fn is_enabled(&self) -> bool {
        !self.is_disabled.load(Ordering::Relaxed)
    }

    pub(crate) fn enable(&self, is_enabled: bool) {
        self.is_disabled.swap(!is_enabled, Ordering::Relaxed);
    }

    /// The name by which functions share it; `None` if it is a function's own.
    #[must_use]
    pub fn name(&self) -> Option<&'static str> {
        self.name
    }

    /// How many calls may be in flight.
    #[must_use]
    pub fn limit(&self) -> u32 {
        u32::try_from(self.limit.load(Ordering::Relaxed)).unwrap_or(u32::MAX)
    }

    /// How many calls are in flight now.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        u32::try_from(in_flight(self.word.load(Ordering::Relaxed))).unwrap_or(u32::MAX)
    }

    /// How many calls wait for a slot now.
    #[must_use]
    pub fn waiting(&self) -> u32 {
        u32::try_from(self.word.load(Ordering::Relaxed) / WAITER).unwrap_or(u32::MAX)
    }

    /// Whether no call is in flight or waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.word.load(Ordering::Acquire) == 0
    }

    #[cfg(test)]
    pub(crate) fn hold_lock(&self) -> impl Sized {
        lock(&self.queue)
    }

    /// Calls in flight stay. The caller is to [`wake`](Self::wake) those who wait.
    pub(crate) fn change_limit(&self, limit: Concurrency) {
        self.limit.swap(u64::from(limit.calls()), Ordering::AcqRel);
    }

    /// After a change, when no lock is held: a higher limit admits waiters at once.
    pub(crate) fn wake(&self) {
        if !seeded!("a new limit wakes nobody") {
            self.hand_over();
        }
    }

    /// A slot, if one is free and nobody waits.
    #[inline]
    pub(crate) fn try_acquire(&self) -> Option<Slot<'_>> {
        let limit = self.limit.load(Ordering::Relaxed);
        let mut word = self.word.load(Ordering::Relaxed);
        // A waiter alone makes the word greater than any limit.
        let taken = |word| if seeded!("a newcomer overtakes") { in_flight(word) } else { word };
        while taken(word) < limit + u64::from(seeded!("one more than the limit")) {
            match self.word.compare_exchange_weak(word, word + 1, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return Some(Slot(self)),
                Err(actual) => word = actual,
            }
        }
        None
    }

    /// A slot that was taken and forgotten, by whom it belongs to.
    #[inline]
    pub(crate) fn taken(&self) -> Slot<'_> {
        Slot(self)
    }

    /// A slot, or the last place in the queue.
    #[cold]
    pub(crate) fn enqueue(&self, waker: Waker) -> Result<Slot<'_>, Place<'_>> {
        let mut queue = lock(&self.queue);
        let mut word = self.word.load(Ordering::Acquire);
        loop {
            let is_free = word < self.limit.load(Ordering::Relaxed) && !seeded!("nobody looks again before queueing");
            let next = if is_free { word + 1 } else { word + WAITER };
            match self.word.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) if is_free => return Ok(Slot(self)),
                Ok(_) => break,
                Err(actual) => word = actual,
            }
        }
        let waiter = Arc::new(Waiter { is_granted: AtomicBool::new(false), waker: Mutex::new(waker) });
        queue.last += 1;
        let number = queue.last;
        queue.waiters.insert(number, Arc::clone(&waiter));
        Err(Place { bulkhead: self, number, waiter })
    }

    /// Gives free slots to those who wait longest, and wakes them after the lock is released.
    #[cold]
    fn hand_over(&self) {
        let mut granted = Vec::new();
        let mut queue = lock(&self.queue);
        let limit = || self.limit.load(Ordering::Relaxed) + u64::from(seeded!("a waiter gets one more"));
        while !queue.waiters.is_empty() && in_flight(self.word.load(Ordering::Acquire)) < limit() {
            self.word.fetch_sub(WAITER - 1, Ordering::AcqRel);
            granted.extend(queue.waiters.pop_first().map(|(_, waiter)| waiter));
        }
        for waiter in &granted {
            waiter.is_granted.swap(true, Ordering::AcqRel);
        }
        drop(queue);
        for waiter in granted {
            let waker = lock(&waiter.waker).clone();
            waker.wake();
        }
    }
}

impl Slot<'_> {
    /// The same as a drop, in the place where it is asked for.
    #[inline]
    pub(crate) fn release(self) {
        self.give_back();
        std::mem::forget(self);
    }

    #[inline]
    fn give_back(&self) {
        if self.0.word.fetch_sub(1, Ordering::AcqRel) >= WAITER {
            self.0.hand_over();
        }
    }
}

impl Drop for Slot<'_> {
    #[cold]
    fn drop(&mut self) {
        self.give_back();
    }
}

impl<'b> Place<'b> {
    /// The slot, once it is this waiter's turn.
    pub(crate) fn take(self) -> Result<Slot<'b>, Self> {
        if !self.waiter.is_granted.swap(false, Ordering::AcqRel) {
            return Err(self);
        }
        Ok(Slot(self.bulkhead))
    }

    /// From now on that waker is woken.
    #[cfg(any(feature = "tokio", all(test, any(interleaved = "loom", interleaved = "shuttle"))))]
    pub(crate) fn wake(&self, waker: &Waker) {
        if !seeded!("the first waker is woken") {
            lock(&self.waiter.waker).clone_from(waker);
        }
    }
}

impl Drop for Place<'_> {
    /// After a [`take`](Self::take) the waiter is in no queue and has no grant, so this finds nothing to give up.
    fn drop(&mut self) {
        let mut queue = lock(&self.bulkhead.queue);
        let was_waiting = queue.waiters.remove(&self.number).is_some();
        if was_waiting && !seeded!("who is gone is counted") {
            self.bulkhead.word.fetch_sub(WAITER, Ordering::AcqRel);
        }
        drop(queue);
        if self.waiter.is_granted.swap(false, Ordering::AcqRel) && !seeded!("a grant to who is gone is lost") {
            drop(Slot(self.bulkhead));
        } else if was_waiting {
            self.bulkhead.hand_over();
        }
    }
}

/// Wakes a thread that waits for a slot.
#[derive(Debug)]
pub(crate) struct Unpark(thread::Thread);

impl Unpark {
    pub(crate) fn waker() -> Waker {
        Arc::new(Self(thread::current())).into()
    }
}

impl std::task::Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests;
