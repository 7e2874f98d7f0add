//! What configuration says of quotas and limits, and of everything else; and what must hold by it.

use crate::functions::{
    BENCH, CROWDED, DB, EVERYBODY, EVERYTHING, IMPATIENT, PACED, PARTNER, PARTNERS, PATIENT, QUEUED, STRIPE, TENANT, TURNSTILE,
};
use crate::ledger::{Crowd, Quota};
use fastrand::Rng;
use resilient::{CircuitBreaker, Concurrency, Configuration, Overrides, Rate, RetryBudget, Window, configure};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// Where a setting is said.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    Named(&'static str),
    Function(&'static str),
}

/// A bucket, or one for each tenant.
#[derive(Debug)]
pub(crate) struct Tap {
    pub(crate) place: Place,
    pub(crate) quotas: &'static [Quota],
    /// Per second, and fewer than are asked for; the first is what holds at the beginning and in the end.
    rates: [u32; 3],
    bursts: [u32; 2],
    /// Whether configuration may switch it off.
    is_switched: bool,
}

/// A bulkhead, or one for each host.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) place: Place,
    pub(crate) crowds: &'static [Crowd],
    limits: [u32; 3],
}

macro_rules! function {
    ($name:literal) => {
        Place::Function(concat!("soak::functions::", $name))
    };
}

#[rustfmt::skip]
pub(crate) static TAPS: &[Tap] = &[
    Tap { place: Place::Named("stripe"), quotas: &STRIPE, rates: [100, 40, 160], bursts: [20, 5], is_switched: true },
    Tap { place: Place::Named("partner"), quotas: &PARTNER, rates: [8, 4, 12], bursts: [4, 2], is_switched: false },
    Tap { place: function!("asynchronous::paced"), quotas: &PACED, rates: [50, 20, 80], bursts: [10, 3], is_switched: true },
    Tap { place: function!("asynchronous::impatient"), quotas: &IMPATIENT, rates: [40, 15, 70], bursts: [2, 8], is_switched: false },
    Tap { place: function!("asynchronous::tenant"), quotas: &TENANT, rates: [8, 4, 12], bursts: [3, 1], is_switched: false },
    Tap { place: function!("asynchronous::everything"), quotas: &EVERYTHING, rates: [60, 20, 90], bursts: [10, 4], is_switched: false },
    Tap { place: function!("blocking::patient"), quotas: &PATIENT, rates: [400, 150, 800], bursts: [20, 5], is_switched: false },
    Tap { place: function!("blocking::turnstile"), quotas: &TURNSTILE, rates: [40, 15, 60], bursts: [4, 2], is_switched: true },
];

#[rustfmt::skip]
pub(crate) static DOORS: &[Door] = &[
    Door { place: Place::Named("db"), crowds: &DB, limits: [3, 1, 2] },
    Door { place: Place::Named("queue"), crowds: &QUEUED, limits: [3, 1, 2] },
    Door { place: Place::Named("partner"), crowds: &PARTNERS, limits: [2, 1, 3] },
    Door { place: function!("asynchronous::crowded"), crowds: &CROWDED, limits: [2, 1, 3] },
    Door { place: function!("asynchronous::everything"), crowds: &EVERYBODY, limits: [3, 1, 2] },
    Door { place: Place::Function("benched"), crowds: &BENCH, limits: [20, 10, 15] },
];

impl Tap {
    pub(crate) fn burst(&self) -> u32 {
        self.bursts[0]
    }
}

impl Door {
    pub(crate) fn limit(&self) -> u32 {
        self.limits[0]
    }
}

/// When nobody calls.
pub(crate) fn open_windows() {
    TAPS.iter().flat_map(|tap| tap.quotas).for_each(crate::ledger::Quota::open_window);
}

/// The functions that share the bucket `stripe`.
const PAID: [&str; 3] =
    ["soak::functions::asynchronous::paid", "soak::functions::asynchronous::paid_again", "soak::functions::blocking::paid"];

/// What is to be put into force.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Of each tap; `None` where it is switched off.
    taps: Vec<Option<(u32, u32)>>,
    doors: Vec<u32>,
    configuration: Configuration,
}

impl Settings {
    /// Those of the beginning.
    pub(crate) fn first() -> Self {
        let taps = TAPS.iter().map(|tap| Some((tap.rates[0], tap.bursts[0]))).collect();
        let doors = DOORS.iter().map(|door| door.limits[0]).collect();
        Self::of(taps, doors, BTreeMap::new())
    }

    pub(crate) fn with(mut self, change: impl FnOnce(Configuration) -> Configuration) -> Self {
        self.configuration = change(self.configuration);
        self
    }

    /// For a change that switches every bucket off.
    pub(crate) fn without_quotas(mut self) -> Self {
        self.taps.fill(None);
        self
    }

    pub(crate) fn random(rng: &mut Rng, file: &Path) -> Self {
        let tap = |tap: &Tap, rng: &mut Rng| {
            let is_on = !tap.is_switched || rng.u8(..8) > 0;
            is_on.then(|| (tap.rates[rng.usize(..3)], tap.bursts[rng.usize(..2)]))
        };
        let taps = TAPS.iter().map(|each| tap(each, rng)).collect();
        let doors = DOORS.iter().map(|door| door.limits[rng.usize(..3)]).collect();
        let mut settings = Self::of(taps, doors, functions(rng));
        settings.configuration = breakers(settings.configuration, rng)
            .budget("savings", RetryBudget::new().ratio(0.2).per_second(20.0).pool(rng.u32(5..100)))
            .retries_enabled(rng.u8(..10) > 0)
            .env("SOAK")
            .file(file)
            .watch(Duration::from_millis(100));
        settings
    }

    fn of(taps: Vec<Option<(u32, u32)>>, doors: Vec<u32>, mut functions: BTreeMap<&'static str, Overrides>) -> Self {
        let mut configuration = configure();
        for (tap, chosen) in TAPS.iter().zip(&taps) {
            let (rate, burst) = chosen.unwrap_or((tap.rates[0], tap.bursts[0]));
            let rate = Rate::per_second(u64::from(rate)).burst(burst);
            match tap.place {
                Place::Named(name) => configuration = configuration.bucket(name, rate),
                Place::Function(name) => {
                    let own = functions.entry(name).or_default();
                    *own = if chosen.is_some() { own.rate(rate) } else { own.rate(rate).rate_enabled(false) };
                }
            }
        }
        for (door, limit) in DOORS.iter().zip(&doors) {
            match door.place {
                Place::Named(name) => configuration = configuration.bulkhead(name, Concurrency::limit(*limit)),
                Place::Function(name) => {
                    let own = functions.entry(name).or_default();
                    *own = own.concurrency(*limit);
                }
            }
        }
        // A bucket that is shared is taken from each function that names it.
        let is_off = |(tap, chosen): (&Tap, &Option<_>)| matches!(tap.place, Place::Named("stripe")) && chosen.is_none();
        if TAPS.iter().zip(&taps).any(is_off) {
            for name in PAID {
                functions.insert(name, Overrides::new().bucket_enabled(false));
            }
        }
        let configuration = functions.into_iter().fold(configuration, |all, (name, own)| all.function(name, own));
        Self { taps, doors, configuration }
    }

    /// Puts it into force; what must hold is known before to those whom it gives more, and after to those whom it gives less.
    pub(crate) fn install(self) -> Result<(), resilient::ConfigError> {
        let Self { taps, doors, configuration } = self;
        for (tap, chosen) in TAPS.iter().zip(&taps) {
            for quota in tap.quotas {
                match *chosen {
                    Some((rate, burst)) => quota.expect(rate.into(), burst.into()),
                    None => quota.lift(),
                }
            }
        }
        for (door, limit) in DOORS.iter().zip(&doors) {
            door.crowds.iter().for_each(|crowd| crowd.expect(*limit));
        }
        configuration.install()?;
        for (tap, (rate, burst)) in TAPS.iter().zip(&taps).filter_map(|(tap, chosen)| Some((tap, (*chosen)?))) {
            tap.quotas.iter().for_each(|quota| quota.settle(rate.into(), burst.into()));
        }
        for (door, limit) in DOORS.iter().zip(&doors) {
            door.crowds.iter().for_each(|crowd| crowd.settle(*limit));
        }
        Ok(())
    }
}

/// Never more retries than the attributes have, so that these are the bound.
fn functions(rng: &mut Rng) -> BTreeMap<&'static str, Overrides> {
    const RETRIED: [&str; 4] = [
        "soak::functions::asynchronous::exponential",
        "soak::functions::asynchronous::linear",
        "soak::functions::asynchronous::saving",
        "soak::functions::blocking::bounded",
    ];
    let mut functions = BTreeMap::new();
    for name in RETRIED {
        let own = Overrides::new().retries(rng.u32(..4)).base_delay(Duration::from_micros(rng.u64(300..3_000)));
        functions.insert(name, if rng.bool() { own } else { own.retries_enabled(rng.bool()).budget_enabled(rng.bool()) });
    }
    let times = Overrides::new().timeout(Duration::from_millis(rng.u64(5..20))).deadline(Duration::from_millis(rng.u64(20..60)));
    functions.insert("soak::functions::asynchronous::hurried", times.timeout_enabled(rng.bool()).deadline_enabled(rng.bool()));
    functions.insert("soak::functions::asynchronous::trial", Overrides::new().enabled(rng.bool()));
    functions.insert("soak::functions::asynchronous::stock_in_time", Overrides::new().breaker_enabled(rng.u8(..4) > 0));
    functions.insert("soak::functions::blocking::retried", Overrides::new().jitter(resilient::Jitter::ratio(0.3)));
    functions
}

fn breakers(configuration: Configuration, rng: &mut Rng) -> Configuration {
    let breaker = |rng: &mut Rng| {
        let timeout = Duration::from_millis(rng.u64(20..60));
        CircuitBreaker::new().recovery_timeout(timeout).max_recovery_timeout(Duration::from_millis(200))
    };
    let stock = breaker(rng).failure_threshold(rng.u32(3..9)).half_open_calls(rng.u32(1..4)).enabled(rng.u8(..8) > 0);
    let prices =
        breaker(rng).failure_ratio(0.3 + rng.f64() / 2.0).window(Window::calls(rng.u32(30..80))).minimum_calls(rng.u32(5..30));
    let offers = breaker(rng).failure_ratio(0.5).window(Window::time(Duration::from_millis(rng.u64(100..500))));
    let search = breaker(rng).slow_call_duration(Duration::from_millis(rng.u64(3..10))).success_threshold(rng.u32(1..4));
    configuration
        .breaker("stock", stock)
        .breaker("prices", prices)
        .breaker("offers", offers)
        .breaker("search", search)
        .breaker("trial", breaker(rng).shadow(rng.u8(..4) > 0))
        .breaker("tenants", breaker(rng).failure_threshold(rng.u32(2..9)))
}
