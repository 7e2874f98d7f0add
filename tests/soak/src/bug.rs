//! Mistakes that this program makes when asked, one for each check, so that the checks are seen to fail.

use anyhow::Context as _;
use std::sync::OnceLock;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    /// A body counts its admission twice.
    DoubleAdmission,
    /// A whole burst starts once more than it may, when its bucket has none left.
    ExtraBurst,
    /// The same of every bucket, when nobody else calls.
    ExtraBurstAtRest,
    /// Another body is counted in where there is a limit.
    Crowd,
    /// The same where a larger limit was in force before, and would allow it.
    CrowdAfterLowering,
    /// A body counts as two attempts.
    ExtraAttempt,
    /// A failed call's error is another one than the last.
    OtherError,
    /// A body starts after its call was dropped.
    LateBody,
    /// A call that has a place is forgotten, and so never ends.
    LeakedCall,
    /// A task is left alive.
    ForgottenTask,
    /// A thread is left alive.
    ForgottenThread,
    /// Each call leaves some memory behind.
    Leak,
    /// A timer is left alive.
    ForgottenTimer,
    /// Every tenth change of a breaker's state is not heard of.
    LostEvent,
    /// An opened circuit is told of after what came next.
    SwappedEvents,
    /// The same for a breaker that has keys.
    SwappedEventsOfKeys,
    /// A breaker is forced open, and nobody knows.
    ForcedBreaker,
    /// Somebody takes tokens when all should be idle.
    DrainedBucket,
    /// A call hangs.
    Hang,
    /// A body panics as nobody meant it to.
    Panic,
}

const NAMES: &[(&str, Bug)] = &[
    ("double-admission", Bug::DoubleAdmission),
    ("extra-burst", Bug::ExtraBurst),
    ("extra-burst-at-rest", Bug::ExtraBurstAtRest),
    ("crowd", Bug::Crowd),
    ("crowd-after-lowering", Bug::CrowdAfterLowering),
    ("extra-attempt", Bug::ExtraAttempt),
    ("other-error", Bug::OtherError),
    ("late-body", Bug::LateBody),
    ("leaked-call", Bug::LeakedCall),
    ("forgotten-task", Bug::ForgottenTask),
    ("forgotten-thread", Bug::ForgottenThread),
    ("leak", Bug::Leak),
    ("forgotten-timer", Bug::ForgottenTimer),
    ("lost-event", Bug::LostEvent),
    ("swapped-events", Bug::SwappedEvents),
    ("swapped-events-of-keys", Bug::SwappedEventsOfKeys),
    ("forced-breaker", Bug::ForcedBreaker),
    ("drained-bucket", Bug::DrainedBucket),
    ("hang", Bug::Hang),
    ("panic", Bug::Panic),
];

static SEEDED: OnceLock<Bug> = OnceLock::new();

impl Bug {
    pub(crate) fn named(name: &str) -> anyhow::Result<Self> {
        let found = NAMES.iter().find(|(known, _)| *known == name).map(|(_, bug)| *bug);
        let names: Vec<_> = NAMES.iter().map(|(name, _)| *name).collect();
        found.with_context(|| format!("there is no bug {name:?}, but {}", names.join(", ")))
    }

    pub(crate) fn seed(self) {
        SEEDED.get_or_init(|| self);
    }

    pub(crate) fn is_seeded(self) -> bool {
        SEEDED.get() == Some(&self)
    }
}
