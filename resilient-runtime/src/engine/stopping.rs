//! Stopping a body, which only a future allows.

use super::Engine;
use crate::clock::Instant;
use crate::events;
use crate::plan::Plan;
use crate::refused::Refused;
use crate::rejected::{Kind, Time};

impl Engine<'_> {
    /// When the running body must be stopped, its start being now if nobody had to know it before.
    pub(crate) fn body_ends(&mut self, now: Instant) -> Instant {
        if self.started == Instant::NEVER {
            self.started = now;
        }
        self.started.plus(self.plan.settings.timeout).min(self.ends())
    }

    /// The body is stopped at the end of its time; its slot stays taken until it is dropped and the call goes on or ends. A deadline
    /// says something about the service only if it left the attempt its time.
    #[cold]
    pub(crate) fn stop_body(&mut self, now: Instant, random: u64) -> Refused {
        let Plan { settings, .. } = *self.plan;
        let is_timeout = self.started.plus(settings.timeout) <= self.ends();
        if (is_timeout || self.had_its_time(now))
            && let Some(permit) = self.admission.permit.take()
        {
            permit.fail(self.started, now, random);
        }
        let refused = if is_timeout {
            Refused::by(Kind::Timeout, Time::nanos(settings.timeout))
        } else {
            Refused::by(Kind::DeadlineExceeded, self.own_deadline())
        };
        self.is_timeout_untold = is_timeout && settings.retries > 0;
        if !self.is_timeout_untold {
            events::rejected(self.plan, refused, self.attempts, now);
        }
        refused
    }
}
