//! How often something happened.

use crate::fault::Fault;
use crate::visit::Answer;
use resilient::Rejected;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counts {
    ($($count:ident $words:literal)*) => {
        #[derive(Clone, Copy, Debug)]
        pub(crate) enum Count { $($count,)* }

        const WORDS: &[&str] = &[$($words,)*];
        static COUNTS: [AtomicU64; WORDS.len()] = [const { AtomicU64::new(0) }; WORDS.len()];
    };
}

counts! {
    Calls "calls"
    Nested "calls inside calls"
    Bodies "bodies"
    Successes "successes"
    Lost "lost connections"
    Maintenance "failures with a hint"
    SlowDown "throttled"
    NoSuchThing "permanent"
    BadQuestion "ignored"
    Told "told in words"
    CircuitOpen "refused, circuit open"
    RateLimited "refused, no token"
    BulkheadFull "refused, no place"
    Timeout "stopped by a timeout"
    DeadlineExceeded "stopped by a deadline"
    OtherRefusal "refused otherwise"
    Panics "panics"
    Dropped "dropped at some poll"
    Woken "dropped when woken"
    Selected "lost in a select"
    Aborted "aborted"
    OutOfTime "cancelled by a timer around"
    Installs "configurations installed"
    Reloads "files reloaded"
    Forced "circuits forced, shadowed or reset"
}

pub(crate) fn count(what: Count) {
    COUNTS[what as usize].fetch_add(1, Ordering::Relaxed);
}

pub(crate) fn number(what: Count) -> u64 {
    COUNTS[what as usize].load(Ordering::Relaxed)
}

pub(crate) fn all() -> impl Iterator<Item = (&'static str, u64)> {
    WORDS.iter().zip(&COUNTS).map(|(words, count)| (*words, count.load(Ordering::Relaxed)))
}

pub(crate) fn count_outcome(outcome: &Answer) {
    count(match outcome {
        Ok(_) => Count::Successes,
        Err(Fault::Lost(_)) => Count::Lost,
        Err(Fault::Maintenance { .. }) => Count::Maintenance,
        Err(Fault::SlowDown { .. }) => Count::SlowDown,
        Err(Fault::NoSuchThing(_)) => Count::NoSuchThing,
        Err(Fault::BadQuestion(_)) => Count::BadQuestion,
        Err(Fault::Told(_)) => Count::Told,
        Err(Fault::Rejected(Rejected::CircuitOpen(_))) => Count::CircuitOpen,
        Err(Fault::Rejected(Rejected::RateLimited(_))) => Count::RateLimited,
        Err(Fault::Rejected(Rejected::BulkheadFull(_))) => Count::BulkheadFull,
        Err(Fault::Rejected(Rejected::Timeout(_))) => Count::Timeout,
        Err(Fault::Rejected(Rejected::DeadlineExceeded(_))) => Count::DeadlineExceeded,
        Err(Fault::Rejected(_)) => Count::OtherRefusal,
    });
}
