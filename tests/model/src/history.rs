//! What is tried: settings, and what happens under them. Read from bytes, so that whoever draws bytes draws histories: every byte says
//! something, and what is left out is zero.

use crate::breaker::{self, Window};
use crate::bucket::Rate;
use crate::budget;
use crate::function::{Backoff, Function, Jitter, NEVER, Outcome};

const MILLI: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MILLI;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// How many bytes settings have.
pub const SETTING: usize = 24;
/// How many bytes an operation has.
pub const OPERATION: usize = 4;

/// Settings, and what happens under them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// The settings at first.
    pub setting: Setting,
    /// What happens, in order.
    pub operations: Vec<Operation>,
}

/// The settings of a function and of what it shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Whether a wait turns the clock and is over; otherwise waits are waited for, and time never goes back.
    pub waits_turn_the_clock: bool,
    /// The function's own.
    pub function: Function,
    /// Whether it is an annotated function, which hears of configuration; it shares nothing.
    pub is_annotated: bool,
    /// Its breaker's, if it has one.
    pub breaker: Option<breaker::Settings>,
    /// Its bucket's.
    pub bucket: Option<Rate>,
    /// Its bulkhead's.
    pub bulkhead: Option<u32>,
    /// Its budget's.
    pub budget: Option<budget::Settings>,
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A call begins, whose first attempts come to that and take so long; an async one may be polled or not.
    Call {
        /// In order.
        outcomes: Vec<(Outcome, u64)>,
        /// In this thread, to its end.
        is_sync: bool,
        /// Polled at once.
        is_polled: bool,
    },
    /// One of the open calls is polled.
    Poll(u8),
    /// The body of one of them comes to that.
    Finish(u8, Outcome),
    /// One of them is dropped.
    Drop(u8),
    /// Time goes on.
    Pass(u64),
    /// Time goes on to one of the moments at which something changes, or to a nanosecond before or after.
    PassTo(u8, i8),
    /// Time goes back.
    TurnBack(u64),
    /// A configuration with other settings is installed.
    Reload(Reload),
    /// An operator does something to the breaker.
    Force(Force),
    /// Tokens are taken by hand.
    TryAcquire(u32),
}

/// What is other than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reload {
    /// One of a breaker's settings.
    Breaker(u8, u8),
    /// A rate.
    Rate(Rate),
    /// A bulkhead's limit.
    Concurrency(u32),
    /// A budget.
    Budget(budget::Settings),
    /// One of an annotated function's own settings.
    Function(u8, u8),
}

/// What an operator may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// Refuse everything.
    Open,
    /// Admit everything.
    Disable,
    /// Only count and tell.
    Shadow,
    /// End all that.
    Reset,
}

impl History {
    /// Any bytes are a history.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let (setting, operations) = bytes.split_at(bytes.len().min(SETTING));
        let setting = Setting::of(setting);
        let operations = operations.chunks(OPERATION).map(|bytes| Operation::of(bytes, &setting)).collect();
        Self { setting, operations }
    }
}

fn byte(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or_default()
}

fn pick<T: Copy>(from: &[T], byte: u8) -> T {
    from[usize::from(byte) % from.len()]
}

fn rate(interval: u8, burst: u8) -> Rate {
    let interval = pick(&[100 * MILLI, SECOND, 10 * MILLI, 50 * MILLI, MILLI, MINUTE, 1_000, DAY], interval);
    Rate { interval, burst: pick(&[1, 2, 3, 5], burst) }
}

fn budget(token: u8, gain: u8, pool: u8) -> budget::Settings {
    let token = pick(&[SECOND, 100 * MILLI, 10 * MILLI, 2 * SECOND], token);
    budget::Settings { token, gain: token / 10 * pick(&[2, 0, 5, 10], gain), pool: pick(&[2, 1, 3, 5], pool) }
}

fn retries(byte: u8) -> u32 {
    pick(&[0, 1, 2, 3], byte)
}

fn delays(byte: u8) -> (u64, u64) {
    let base_delay = pick(&[100 * MILLI, 10 * MILLI, SECOND, 1], byte);
    (base_delay, base_delay * pick(&[100, 1, 3, 8], byte / 4))
}

fn backoff(byte: u8, other: u8) -> Backoff {
    const GROWING: [Backoff; 4] = [Backoff::Exponential, Backoff::Constant, Backoff::Linear, Backoff::Fibonacci];
    if other & 7 == 7 { Backoff::Decorrelated } else { pick(&GROWING, byte) }
}

fn jitter(byte: u8) -> Jitter {
    pick(&[Jitter::None, Jitter::Full, Jitter::Equal, Jitter::Percent(25)], byte)
}

fn max_retry_after(byte: u8) -> u64 {
    pick(&[SECOND, 100 * MILLI, 5 * SECOND, MINUTE], byte)
}

fn timeout(byte: u8) -> u64 {
    pick(&[NEVER, 100 * MILLI, SECOND, 10 * MILLI, NEVER], byte)
}

fn deadline(byte: u8) -> u64 {
    pick(&[NEVER, SECOND, 250 * MILLI, 10 * SECOND, NEVER, NEVER], byte)
}

/// Neither a builder nor a configuration lets an attempt take longer than its call.
fn in_order(mut function: Function) -> Function {
    if function.timeout != NEVER {
        function.timeout = function.timeout.min(function.deadline);
    }
    function
}

/// Those settings, one of them changed.
#[must_use]
pub fn changed_function(mut function: Function, which: u8, to: u8) -> Function {
    match which % 7 {
        0 => function.retries = retries(to),
        1 => (function.base_delay, function.max_delay) = delays(to),
        2 => function.backoff = backoff(to, to / 4),
        3 => function.jitter = jitter(to),
        4 => function.max_retry_after = max_retry_after(to),
        5 => function.timeout = timeout(to),
        _ => function.deadline = deadline(to),
    }
    in_order(function)
}

fn failure_threshold(byte: u8) -> Option<u32> {
    pick(&[Some(2), Some(3), Some(1), Some(5), None], byte)
}

fn failure_percent(byte: u8) -> Option<u32> {
    pick(&[None, Some(50), Some(7), Some(100), Some(34)], byte)
}

fn slow(byte: u8) -> Option<(u64, u32)> {
    pick(&[None, Some((100 * MILLI, 50)), Some((MILLI, 100)), Some((SECOND, 30)), None], byte)
}

fn window(byte: u8) -> Window {
    let calls = [3, 5, 10, 1, 70].map(Window::Calls);
    let times = [100 * MILLI, SECOND, 10 * SECOND, 10 * MILLI].map(Window::Time);
    if byte.is_multiple_of(2) { pick(&calls, byte / 2) } else { pick(&times, byte / 2) }
}

fn recovery(byte: u8) -> (u64, u64) {
    let first = pick(&[SECOND, 100 * MILLI, 5 * SECOND, 10 * MILLI, MINUTE, 9], byte);
    (first, first * pick(&[12, 1, 2, 4], byte / 6))
}

impl Setting {
    fn of(bytes: &[u8]) -> Self {
        let byte = |at| byte(bytes, at);
        let layers = byte(0);
        let has = |bit: u8| layers & bit != 0;
        let mut function = Function {
            retries: retries(byte(1)),
            base_delay: 0,
            max_delay: 0,
            backoff: backoff(byte(2) / 16, byte(22)),
            jitter: jitter(byte(22) / 8),
            max_retry_after: max_retry_after(byte(3)),
            timeout: timeout(byte(4)),
            deadline: deadline(byte(5)),
            max_wait: pick(&[5 * SECOND, 0, 100 * MILLI, SECOND, NEVER], byte(6)),
        };
        (function.base_delay, function.max_delay) = delays(byte(2));
        let is_annotated = layers & 0b1_1110 == 0 && byte(23) & 1 == 1;
        Self {
            waits_turn_the_clock: has(1),
            function: in_order(function),
            is_annotated,
            breaker: has(2).then(|| Self::breaker(&bytes[7.min(bytes.len())..])),
            bucket: has(4).then(|| rate(byte(16), byte(17))),
            bulkhead: has(8).then(|| pick(&[1, 2, 3], byte(18))),
            budget: has(16).then(|| budget(byte(19), byte(20), byte(21))),
        }
    }

    fn breaker(bytes: &[u8]) -> breaker::Settings {
        let byte = |at| byte(bytes, at);
        let (recovery_timeout, max_recovery_timeout) = recovery(byte(5));
        let settings = breaker::Settings {
            failure_threshold: failure_threshold(byte(0)),
            failure_percent: failure_percent(byte(1)),
            slow: slow(byte(2)),
            window: window(byte(3)),
            minimum_calls: pick(&[2, 1, 3, 5, 20], byte(4)),
            recovery_timeout,
            max_recovery_timeout,
            half_open_calls: pick(&[1, 2, 3], byte(6)),
            success_threshold: pick(&[2, 1, 3], byte(7)),
            shadow: byte(8) % 8 == 7,
        };
        sound(settings)
    }
}

/// What a builder would not refuse.
fn sound(mut settings: breaker::Settings) -> breaker::Settings {
    if settings.failure_percent.is_none() && settings.failure_threshold.is_none() {
        settings.failure_threshold = Some(5);
    }
    if let Window::Calls(calls) = settings.window {
        settings.minimum_calls = settings.minimum_calls.min(calls);
    }
    settings
}

/// Those settings, one of them changed.
#[must_use]
pub fn changed(mut settings: breaker::Settings, which: u8, to: u8) -> breaker::Settings {
    match which % 9 {
        0 => settings.failure_threshold = failure_threshold(to),
        1 => settings.failure_percent = failure_percent(to),
        2 => settings.slow = slow(to),
        3 => settings.window = window(to),
        4 => settings.minimum_calls = pick(&[2, 1, 3, 5, 20], to),
        5 => (settings.recovery_timeout, settings.max_recovery_timeout) = recovery(to),
        6 => settings.half_open_calls = pick(&[1, 2, 3], to),
        7 => settings.success_threshold = pick(&[2, 1, 3], to),
        _ => settings.shadow = to % 2 == 1,
    }
    sound(settings)
}

impl Outcome {
    fn of(nibble: u8) -> Self {
        match nibble % 16 {
            0..=3 => Self::Success,
            4..=8 => Self::Transient(0),
            9 => Self::Transient(SECOND),
            10 => Self::Throttled(0),
            11 => Self::Throttled(100 * MILLI),
            12 => Self::Throttled(5 * SECOND),
            13 => Self::Permanent,
            14 => Self::Ignored,
            _ => Self::Panic,
        }
    }
}

impl Operation {
    fn of(bytes: &[u8], setting: &Setting) -> Self {
        let [kind, b, c, d] = [0, 1, 2, 3].map(|at| byte(bytes, at));
        match kind % 20 {
            3..=5 => Self::Poll(b),
            6..=9 => Self::Finish(b, Outcome::of(c)),
            10 => Self::Drop(b),
            11..=13 => Self::PassTo(b, pick(&[0, -1, 1], c)),
            14 => Self::Pass(passed(b)),
            15 if setting.waits_turn_the_clock => Self::TurnBack(passed(b)),
            16 if setting.is_annotated => Self::Reload(Reload::Function(c, d)),
            16 => Self::Reload(Reload::of(b, c, d)),
            17 if b < 128 => Self::Force(pick(&[Force::Open, Force::Disable, Force::Shadow, Force::Reset, Force::Reset], b)),
            18 => Self::TryAcquire(pick(&[1, 2, 3, 4, 0], b)),
            _ => Self::call(b, c, d, setting.waits_turn_the_clock),
        }
    }

    fn call(b: u8, c: u8, d: u8, waits_turn_the_clock: bool) -> Self {
        let takes = if waits_turn_the_clock { pick(&[0, 0, 0, 1, MILLI, 50 * MILLI, 100 * MILLI, SECOND], d / 32) } else { 0 };
        let outcomes = [c % 16, c / 16, d % 16].map(|nibble| (Outcome::of(nibble), takes));
        Self::Call {
            outcomes: outcomes[..usize::from(b % 4)].to_vec(),
            is_sync: waits_turn_the_clock && b & 4 != 0,
            is_polled: b & 8 == 0,
        }
    }
}

fn passed(byte: u8) -> u64 {
    const NEAR: [u64; 16] = [
        10 * MILLI,
        1,
        0,
        MILLI - 1,
        MILLI,
        5 * MILLI,
        50 * MILLI,
        100 * MILLI,
        100 * MILLI + 1,
        250 * MILLI,
        500 * MILLI,
        SECOND,
        2 * SECOND,
        5 * SECOND,
        10 * SECOND,
        MINUTE,
    ];
    match byte {
        255 => 300 * DAY,
        251.. => DAY,
        245.. => HOUR,
        near => pick(&NEAR, near),
    }
}

impl Reload {
    fn of(b: u8, c: u8, d: u8) -> Self {
        match b % 4 {
            0 => Self::Breaker(c, d),
            1 => Self::Rate(rate(c, d)),
            2 => Self::Concurrency(pick(&[1, 2, 3], c)),
            _ => Self::Budget(budget(c, d, d / 4)),
        }
    }
}
