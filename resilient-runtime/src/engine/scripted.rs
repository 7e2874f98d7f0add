//! What a test's script wants instead of the body.

use super::{Engine, Step};
use crate::clock::Instant;
use crate::refused::Refused;
use crate::rejected::{Kind, Time};
use crate::script::Cue;

impl<'p> Engine<'p> {
    /// A ticket for the emitted code, which looks for one in front of every refusal, or the refusal that was asked for.
    #[cold]
    pub(super) fn play(&mut self, cue: Cue, now: Instant) -> Step<'p> {
        let function = self.plan.function;
        match cue {
            Cue::Play(ticket) => {
                assert!(
                    self.plan.is_scriptable,
                    "`{function}` cannot be scripted: its return type has an `impl`, it is a `Policy` run by hand, or its crate \
                     was built without the feature `testing`; only `time_out` is for every function"
                );
                ticket.hand_over();
                Step::Refuse(Refused::by(Kind::CircuitOpen, Time::NONE))
            }
            Cue::TimeOut => {
                assert!(self.plan.settings.timeout != u64::MAX, "`{function}` was scripted to time out, and has no `timeout`");
                Step::Refuse(self.time_out(now))
            }
        }
    }

    #[cfg(feature = "tokio")]
    fn time_out(&mut self, now: Instant) -> Refused {
        self.stop_body(now, crate::random::number())
    }

    #[cfg(not(feature = "tokio"))]
    #[expect(clippy::unused_self, reason = "its twin stops a body")]
    fn time_out(&mut self, _now: Instant) -> Refused {
        Refused::by(Kind::Timeout, Time::NONE)
    }
}
