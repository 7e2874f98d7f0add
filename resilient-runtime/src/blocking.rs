//! Drives a call in a thread.

use crate::bulkhead::{Bulkhead, Slot, Unpark};
use crate::call::{Call, Delay, Step};
use crate::clock::{Instant, now, sleep_blocking};
use crate::events;
use crate::plan::Plan;
use crate::rejected::Rejected;
use std::time::Duration;

impl<'p> Call<'p> {
    #[inline]
    #[must_use]
    pub fn enter(plan: &'p Plan<'p>) -> Self {
        Self::new(plan, now)
    }

    /// Waits for its turn and runs the body.
    ///
    /// # Errors
    ///
    /// What refused it.
    #[inline]
    pub fn attempt_blocking<T>(&mut self, body: impl FnOnce() -> T) -> Result<T, Rejected> {
        self.take_turn()?;
        Ok(self.run_body(body))
    }

    /// The same, where every wait is unlimited and nothing can refuse.
    #[inline]
    pub fn attempt_unrefused_blocking<T>(&mut self, body: impl FnOnce() -> T) -> T {
        while self.take_turn().is_err() {}
        self.run_body(body)
    }

    pub fn wait_blocking(&mut self, Delay(delay): Delay) {
        events::blocking(self.plan());
        sleep_blocking(now().plus(delay));
    }

    #[inline]
    fn take_turn(&mut self) -> Result<(), Rejected> {
        match self.admit(now) {
            Step::Run => Ok(()),
            step => self.wait_for_turn(step),
        }
    }

    #[inline]
    fn run_body<T>(&mut self, body: impl FnOnce() -> T) -> T {
        let unwinding = Unwinding(self);
        let outcome = body();
        std::mem::forget(unwinding);
        self.body_ended();
        outcome
    }

    #[cold]
    fn wait_for_turn(&mut self, mut step: Step<'p>) -> Result<(), Rejected> {
        loop {
            match step {
                Step::Run => return Ok(()),
                Step::Refuse(rejected) => return Err(rejected),
                Step::Sleep(until) => {
                    events::blocking(self.plan());
                    sleep_blocking(until);
                }
                Step::Queue(bulkhead, until) => {
                    events::blocking(self.plan());
                    if let Some(slot) = stand_in_line(bulkhead, until) {
                        self.seat(slot);
                    }
                }
            }
            step = self.resume(now());
        }
    }
}

/// A slot, if one is handed over in time.
fn stand_in_line(bulkhead: &Bulkhead, until: Instant) -> Option<Slot<'_>> {
    let mut place = match bulkhead.enqueue(Unpark::waker()) {
        Ok(slot) => return Some(slot),
        Err(place) => place,
    };
    loop {
        match place.take() {
            Ok(slot) => return Some(slot),
            Err(waiting) => place = waiting,
        }
        if until <= now() {
            return None;
        }
        park_until(until);
    }
}

fn park_until(until: Instant) {
    if until == Instant::NEVER {
        return std::thread::park();
    }
    let left = until.since(now());
    #[cfg(feature = "testing")]
    if crate::clock::turned::sleep(left) {
        return;
    }
    std::thread::park_timeout(Duration::from_nanos(left));
}

/// Dropped only by a panic of the body.
pub(crate) struct Unwinding<'c, 'p>(pub(crate) &'c mut Call<'p>);

impl Drop for Unwinding<'_, '_> {
    #[cold]
    fn drop(&mut self) {
        self.0.body_panicked(now(), fastrand::u64(..));
    }
}
