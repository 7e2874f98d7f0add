//! What can go wrong in a body, and how often at the moment.

use fastrand::Rng;
use resilient::{Classify, Rejected};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

/// An error of a body's, with a number by which it is known again.
#[derive(Clone, Debug, thiserror::Error, Classify)]
pub(crate) enum Fault {
    #[error("connection lost")]
    #[transient]
    Lost(u64),
    #[error("maintenance for {wait:?}")]
    #[transient(retry_after = wait)]
    Maintenance { number: u64, wait: Duration },
    #[error("slow down for {wait:?}")]
    #[throttled(retry_after = wait)]
    SlowDown { number: u64, wait: Duration },
    #[error("no such thing")]
    #[permanent]
    NoSuchThing(u64),
    #[error("cannot ask that")]
    #[ignored]
    BadQuestion(u64),
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// Of a function whose errors are texts.
    #[error("{0}")]
    #[permanent]
    Told(String),
}

impl Fault {
    pub(crate) fn number(&self) -> Option<u64> {
        match self {
            Self::Lost(number)
            | Self::NoSuchThing(number)
            | Self::BadQuestion(number)
            | Self::Maintenance { number, .. }
            | Self::SlowDown { number, .. } => Some(*number),
            Self::Rejected(_) | Self::Told(_) => None,
        }
    }

    pub(crate) fn is_lost(&self) -> bool {
        matches!(self, Self::Lost(_))
    }
}

/// A panic that was meant to happen.
#[derive(Debug)]
pub(crate) struct Planned;

/// What becomes of one attempt.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    Answer,
    Late(Duration),
    Fail(Fault),
    FailLate(Fault, Duration),
    /// Longer than any time limit.
    Hang,
    Panic,
    /// Another function is called inside.
    Nest,
    /// An `Ok` that is not yet what was asked for.
    Pending,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Weather {
    /// Nothing goes wrong any more.
    Still,
    Fair,
    Showers,
    Fog,
    Storm,
}

/// Functions belong to one of so many services, each of which has a weather of its own.
const SERVICES: usize = 8;
static WEATHER: [AtomicU8; SERVICES] = [const { AtomicU8::new(0) }; SERVICES];

pub(crate) fn change_weather(rng: &mut Rng) {
    let next = match rng.u8(..10) {
        0..4 => Weather::Fair,
        4..7 => Weather::Showers,
        7 => Weather::Fog,
        _ => Weather::Storm,
    };
    WEATHER[rng.usize(..SERVICES)].store(next as u8, Ordering::Relaxed);
}

pub(crate) fn set_weather(weather: Weather) {
    for service in &WEATHER {
        service.store(weather as u8, Ordering::Relaxed);
    }
}

/// What goes wrong with an attempt of a function of that service.
pub(crate) fn fate(service: usize, number: u64, rng: &mut Rng) -> Fate {
    let weather = WEATHER[service % SERVICES].load(Ordering::Relaxed);
    let (fine, late) = match weather {
        weather if weather == Weather::Still as u8 => return Fate::Answer,
        weather if weather == Weather::Fair as u8 => (95, 10),
        weather if weather == Weather::Showers as u8 => (65, 20),
        weather if weather == Weather::Fog as u8 => (80, 90),
        _ => (10, 10),
    };
    let delay = Duration::from_micros(rng.u64(..15_000));
    if rng.u8(..100) < fine {
        return if rng.u8(..100) < late { Fate::Late(delay) } else { Fate::Answer };
    }
    let wait = Duration::from_micros(rng.u64(..8_000));
    match rng.u8(..100) {
        0..35 => Fate::Fail(Fault::Lost(number)),
        35..45 => Fate::FailLate(Fault::Lost(number), delay),
        45..55 => Fate::Fail(Fault::Maintenance { number, wait }),
        55..65 => Fate::Fail(Fault::SlowDown { number, wait }),
        65..72 => Fate::Fail(Fault::NoSuchThing(number)),
        72..76 => Fate::Fail(Fault::BadQuestion(number)),
        76..82 => Fate::Hang,
        82..88 => Fate::Panic,
        88..94 => Fate::Nest,
        _ => Fate::Pending,
    }
}
