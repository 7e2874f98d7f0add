//! Drives a call in a thread.

use crate::bulkhead::{Bulkhead, Slot, Unpark};
use crate::call::{Call, Delay, Step};
use crate::clock::{Instant, now, sleep_blocking};
use crate::events;
use crate::plan::Plan;
use crate::rejected::Rejected;
use crate::running::Running;
use crate::script::Ticket;
use crate::wishes;
use std::time::Duration;

impl<'p> Call<'p> {
    #[inline]
    #[must_use]
    pub fn enter(plan: &'p Plan<'p>) -> Self {
        Self::new(plan, now)
    }

    /// Waits until the body may run.
    ///
    /// # Errors
    ///
    /// What refused it.
    #[inline]
    pub fn turn_blocking(&mut self) -> Result<(), Rejected> {
        if self.starts_at_once() { Ok(()) } else { self.wait_for_turn() }
    }

    /// The same, where every wait is unlimited and nothing can refuse.
    #[inline]
    pub fn turn_unrefused_blocking(&mut self) {
        while self.turn_blocking().is_err() {}
    }

    /// The same, where a script may want something else than the body.
    ///
    /// # Errors
    ///
    /// When [`script`](Self::script) has it.
    #[inline]
    pub fn turn_admitted_blocking(&mut self) -> Result<(), Rejected> {
        loop {
            match self.turn_blocking() {
                Err(_) if !Ticket::is_handed_over() => {}
                turned => return turned,
            }
        }
    }

    /// Runs the body in its turn.
    #[inline]
    pub fn run<T>(&mut self, body: impl FnOnce() -> T) -> T {
        let running = Running(self);
        let outcome = body();
        running.finish();
        self.body_ended();
        outcome
    }

    pub fn wait_blocking(&mut self, Delay(delay): Delay) {
        if wishes::skips(delay) {
            return;
        }
        events::blocking(self.plan());
        sleep_blocking(now().plus(delay));
    }

    #[cold]
    fn wait_for_turn(&mut self) -> Result<(), Rejected> {
        let mut turn = self.turn(now());
        loop {
            match self.advance(&mut turn, now()) {
                Step::Run => return Ok(()),
                Step::Refuse(rejected) => return Err(rejected),
                Step::Sleep(until) => {
                    events::blocking(self.plan());
                    sleep_blocking(until);
                }
                Step::Queue(_, until) if until != Instant::NEVER && wishes::skips(until.since(now())) => turn.end_queueing(),
                Step::Queue(bulkhead, until) => {
                    events::blocking(self.plan());
                    if let Some(slot) = stand_in_line(bulkhead, until) {
                        turn.seat(slot);
                    }
                }
            }
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
    if wishes::turn(left) {
        return;
    }
    std::thread::park_timeout(Duration::from_nanos(left));
}
