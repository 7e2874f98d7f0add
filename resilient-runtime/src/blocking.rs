//! Drives a call in a thread.

#![expect(clippy::inline_always, reason = "a call whose address is taken cannot stay in registers")]

use crate::bucket::Nap;
use crate::bulkhead::{Bulkhead, Slot, Unpark};
use crate::call::Call;
use crate::clock::{Instant, now, sleep_blocking};
use crate::engine::{Engine, Step};
use crate::events;
use crate::refused::Refused;
use crate::script::Ticket;
use crate::sync::thread;
use crate::wishes;
use std::time::Duration;

impl Call<'_, '_> {
    /// Waits until the body may run, and begins it.
    ///
    /// # Errors
    ///
    /// What refused it.
    #[inline(always)]
    pub fn turn_blocking(&mut self) -> Result<(), Refused> {
        if self.starts_shortly() {
            return Ok(());
        }
        self.turn_refusable()
    }

    /// The same, where every wait is unlimited and nothing can refuse.
    #[inline(always)]
    pub fn turn_unrefused_blocking(&mut self) {
        if !self.starts_shortly() {
            let _ = self.turn_late(Engine::wait_unrefused);
        }
    }

    /// The same, where a script may want something else than the body.
    ///
    /// # Errors
    ///
    /// When [`script`](Self::script) has it.
    #[inline(always)]
    pub fn turn_admitted_blocking(&mut self) -> Result<(), Refused> {
        if self.starts_shortly() { Ok(()) } else { self.turn_late(Engine::wait_admitted) }
    }
}

impl Engine<'_> {
    /// The wait that stands before the coming attempt, if it is not the first.
    pub(crate) fn rest_blocking(&mut self) {
        if let Some(until) = self.rest() {
            events::blocking(self.plan());
            self.wake(sleep_blocking(until));
        }
    }

    #[cold]
    #[expect(clippy::unnecessary_wraps, reason = "its siblings can fail")]
    fn wait_unrefused(&mut self) -> Result<(), Refused> {
        self.refuse_never();
        while self.wait_for_turn().is_err() {}
        Ok(())
    }

    #[cold]
    fn wait_admitted(&mut self) -> Result<(), Refused> {
        self.refuse_never();
        loop {
            match self.wait_for_turn() {
                Err(_) if !Ticket::is_handed_over() => {}
                turned => return turned,
            }
        }
    }

    #[cold]
    pub(crate) fn wait_for_turn(&mut self) -> Result<(), Refused> {
        let start = now();
        let mut turn = self.turn(start);
        let mut step = self.advance(&mut turn, start);
        loop {
            match step {
                Step::Run => return Ok(()),
                Step::Refuse(refused) => return Err(refused),
                Step::Sleep(nap) => {
                    events::blocking(self.plan());
                    take_nap(nap);
                }
                Step::Queue(_, until) if until != Instant::NEVER && wishes::skips(until.since(now())) => turn.end_queueing(),
                Step::Queue(bulkhead, until) => {
                    events::blocking(self.plan());
                    if let Some(slot) = stand_in_line(bulkhead, until) {
                        turn.seat(slot);
                    }
                }
            }
            step = self.advance(&mut turn, now());
        }
    }
}

/// Until its end, or until the rate is another.
fn take_nap(nap: Nap<'_>) {
    let _sleeper = nap.sleep(Unpark::waker());
    while nap.until > now() && !nap.is_disturbed() {
        park_until(nap.until);
    }
}

/// A slot, if one is handed over in time.
pub(crate) fn stand_in_line(bulkhead: &Bulkhead, until: Instant) -> Option<Slot<'_>> {
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
        return thread::park();
    }
    let before = now();
    let left = until.since(before);
    #[cfg(feature = "testing")]
    if wishes::turn(left) {
        // Who came back for the rest of its wait would come back for ever.
        assert!(
            left == 0 || now() != before,
            "a call waits for {:?}, and this `TurnedClock` shows its last moment",
            Duration::from_nanos(left)
        );
        return;
    }
    thread::park_timeout(Duration::from_nanos(left));
}

#[cfg(test)]
mod tests {
    use crate::{Jitter, Policy};
    use std::io;
    use std::time::Duration;

    #[test]
    fn a_retry_is_waited_for_with_whatever_features() {
        let policy = Policy::builder().retries(2).base_delay(Duration::from_nanos(1)).jitter(Jitter::None).build().unwrap();
        let mut attempts = 0;
        let outcome = policy.run(|| {
            attempts += 1;
            if attempts < 3 { Err(io::Error::from(io::ErrorKind::ConnectionReset)) } else { Ok(()) }
        });
        assert_eq!((outcome.is_ok(), attempts), (true, 3));
    }
}
