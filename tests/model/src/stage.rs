//! The library's side: clocks, names, and what is configured by them.
//!
//! Names live as long as the process, so histories play one after the other on the same ones, each later than the one before. When
//! the clock is about to end, or after a difference, there are new ones.

use crate::annotated;
use crate::breaker::{self, Window};
use crate::bucket::Rate;
use crate::budget;
use crate::function::NEVER;
use crate::history::Setting;
use resilient::testing::TurnedClock;
use resilient::{CircuitBreaker, Concurrency, Policy, RetryBudget};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;

pub(crate) const FUNCTION: &str = "reference model";

/// What both clocks of the library show at their beginning.
const START: u64 = 1 << 50;
/// A turned clock shows 30 years at most.
const LATEST: u64 = 20 * 365 * 86_400 * 1_000_000_000;

/// When the clock of those who do not turn it began.
static ANCHOR: OnceLock<Instant> = OnceLock::new();

/// A clock of one of the two kinds.
#[derive(Debug)]
pub(crate) enum Clock {
    Turned(TurnedClock),
    Paused,
}

/// Names, and the runtime whose clock is theirs.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) names: Names,
    runtime: Runtime,
    waits_turn_the_clock: bool,
    /// Of a turned clock.
    elapsed: AtomicU64,
    /// What was installed last.
    configured: Mutex<Configured>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Configured {
    breaker: Option<breaker::Settings>,
    bucket: Option<Rate>,
    bulkhead: Option<u32>,
    budget: Option<budget::Settings>,
}

#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) breaker: String,
    pub(crate) bucket: String,
    pub(crate) bulkhead: String,
    budget: String,
}

impl Stage {
    pub(crate) fn new(waits_turn_the_clock: bool) -> Result<Self, String> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = |kind: &str| format!("reference model's {kind} {number}");
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().map_err(|error| error.to_string())?;
        ANCHOR.get_or_init(|| {
            let _entered = runtime.enter();
            let _first_look = resilient::breaker(&name("breaker")).counts();
            Instant::now()
        });
        let names = Names { breaker: name("breaker"), bucket: name("bucket"), bulkhead: name("bulkhead"), budget: name("budget") };
        Ok(Self { names, runtime, waits_turn_the_clock, elapsed: AtomicU64::new(0), configured: Mutex::default() })
    }

    pub(crate) fn is_worn(&self) -> bool {
        self.now(&Clock::Paused).max(START + self.elapsed.load(Ordering::Relaxed)) > LATEST
    }

    /// A clock that goes on where the last one stopped.
    pub(crate) fn clock(&self) -> Clock {
        if !self.waits_turn_the_clock {
            return Clock::Paused;
        }
        let clock = TurnedClock::start();
        clock.advance(Duration::from_nanos(self.elapsed.load(Ordering::Relaxed)));
        Clock::Turned(clock)
    }

    pub(crate) fn keep(&self, clock: &Clock) {
        if let Clock::Turned(clock) = clock {
            self.elapsed.store(nanos(clock.elapsed()), Ordering::Relaxed);
        }
    }

    pub(crate) fn enter(&self) -> tokio::runtime::EnterGuard<'_> {
        self.runtime.enter()
    }

    pub(crate) fn now(&self, clock: &Clock) -> u64 {
        match clock {
            Clock::Turned(clock) => START + nanos(clock.elapsed()),
            Clock::Paused => {
                let _entered = self.runtime.enter();
                let anchor = ANCHOR.get().copied().unwrap_or_else(Instant::now);
                START + nanos(Instant::now().saturating_duration_since(anchor))
            }
        }
    }

    pub(crate) fn pass(&self, clock: &Clock, time: u64) {
        let time = Duration::from_nanos(time);
        match clock {
            Clock::Turned(clock) => clock.advance(time),
            Clock::Paused => self.runtime.block_on(tokio::time::advance(time)),
        }
    }

    pub(crate) fn policy(&self, setting: &Setting) -> Result<Policy, String> {
        let function = setting.function;
        let time = |nanos| if nanos == NEVER { Duration::MAX } else { Duration::from_nanos(nanos) };
        let mut builder = Policy::builder()
            .name(FUNCTION)
            .retries(function.retries)
            .base_delay(time(function.base_delay))
            .max_delay(time(function.max_delay))
            .backoff(function.backoff.ours())
            .jitter(function.jitter.ours())
            .max_retry_after(time(function.max_retry_after))
            .max_wait(time(function.max_wait));
        if function.timeout != NEVER {
            builder = builder.timeout(time(function.timeout));
        }
        if function.deadline != NEVER {
            builder = builder.deadline(time(function.deadline));
        }
        if setting.breaker.is_some() {
            builder = builder.breaker(&self.names.breaker);
        }
        if setting.bucket.is_some() {
            builder = builder.bucket(&self.names.bucket);
        }
        if setting.bulkhead.is_some() {
            builder = builder.bulkhead(&self.names.bulkhead);
        }
        builder = if setting.budget.is_some() { builder.shared_budget(&self.names.budget) } else { builder.without_budget() };
        builder.build().map_err(|error| error.to_string())
    }

    /// Installs what the settings say of what is shared. What they do not have stays as it was, here and on the other stage, whose clock
    /// is another.
    pub(crate) fn install(&self, setting: &Setting, other: Option<&Self>) -> Result<(), String> {
        let mut configured = self.configured.lock().unwrap_or_else(PoisonError::into_inner);
        let Configured { breaker, bucket, bulkhead, budget } = *configured;
        *configured = Configured {
            breaker: setting.breaker.or(breaker),
            bucket: setting.bucket.or(bucket),
            bulkhead: setting.bulkhead.or(bulkhead),
            budget: setting.budget.or(budget),
        };
        drop(configured);
        let mut configuration = resilient::configure().lenient();
        if setting.is_annotated {
            configuration = annotated::say(configuration, setting.waits_turn_the_clock, setting.function);
        }
        for stage in std::iter::once(self).chain(other) {
            configuration = stage.say(configuration)?;
        }
        configuration.install().map_err(|error| error.to_string())
    }

    fn say(&self, mut configuration: resilient::Configuration) -> Result<resilient::Configuration, String> {
        let configured = *self.configured.lock().unwrap_or_else(PoisonError::into_inner);
        let Names { breaker, bucket, bulkhead, budget } = &self.names;
        if let Some(settings) = configured.breaker {
            configuration = configuration.breaker(breaker, circuit_breaker(settings));
        }
        if let Some(Rate { interval, burst }) = configured.bucket {
            configuration = configuration.bucket(bucket, rate(interval, burst));
        }
        if let Some(limit) = configured.bulkhead {
            configuration = configuration.bulkhead(bulkhead, Concurrency::limit(limit));
        }
        if let Some(settings) = configured.budget {
            configuration = configuration.budget(budget, retry_budget(settings)?);
        }
        Ok(configuration)
    }
}

pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

pub(crate) fn rate(interval: u64, burst: u32) -> resilient::Rate {
    resilient::Rate::per(1, Duration::from_nanos(interval)).burst(burst)
}

fn circuit_breaker(settings: breaker::Settings) -> CircuitBreaker {
    let mut ours = CircuitBreaker::new()
        .minimum_calls(settings.minimum_calls)
        .window(match settings.window {
            Window::Calls(calls) => resilient::Window::calls(calls),
            Window::Time(time) => resilient::Window::time(Duration::from_nanos(time)),
        })
        .recovery_timeout(Duration::from_nanos(settings.recovery_timeout))
        .max_recovery_timeout(Duration::from_nanos(settings.max_recovery_timeout))
        .half_open_calls(settings.half_open_calls)
        .success_threshold(settings.success_threshold)
        .shadow(settings.shadow);
    if let Some(failures) = settings.failure_threshold {
        ours = ours.failure_threshold(failures);
    }
    if let Some(percent) = settings.failure_percent {
        ours = ours.failure_ratio(f64::from(percent) / 100.0);
    }
    if let Some((duration, percent)) = settings.slow {
        ours = ours.slow_call_duration(Duration::from_nanos(duration)).slow_call_ratio(f64::from(percent) / 100.0);
    }
    ours
}

fn retry_budget(settings: budget::Settings) -> Result<RetryBudget, String> {
    let float = |nanos: u64| u32::try_from(nanos).map(f64::from).map_err(|error| error.to_string());
    let (token, gain) = (float(settings.token)?, float(settings.gain)?);
    let pool = u32::try_from(settings.pool).map_err(|error| error.to_string())?;
    Ok(RetryBudget::new().per_second(1e9 / token).ratio(gain / token).pool(pool))
}
