//! A function: its settings, and what its body comes to.

/// No end.
pub const NEVER: u64 = u64::MAX;

/// How waits grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backoff {
    /// Twice the one before.
    Exponential,
    /// All the same.
    Constant,
    /// By the first.
    Linear,
    /// The sum of the two before.
    Fibonacci,
    /// Anything from the first to three times the one before.
    Decorrelated,
}

/// How waits are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    /// Not at all.
    None,
    /// From nothing.
    Full,
    /// From half of it.
    Equal,
    /// So many hundredths more or less.
    Percent(u64),
}

/// The settings of a function, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Function {
    /// Attempts after the first.
    pub retries: u32,
    /// The first wait.
    pub base_delay: u64,
    /// The longest of our own.
    pub max_delay: u64,
    /// How they grow.
    pub backoff: Backoff,
    /// How they are spread.
    pub jitter: Jitter,
    /// The longest hint.
    pub max_retry_after: u64,
    /// Of each attempt, or `NEVER`.
    pub timeout: u64,
    /// Of the whole call, or `NEVER`.
    pub deadline: u64,
    /// The longest wait for a token or a place, or `NEVER`.
    pub max_wait: u64,
}

/// What a body comes to; hints in nanoseconds, zero for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// What it was for.
    Success,
    /// A failure that may pass.
    Transient(u64),
    /// Well, but busy.
    Throttled(u64),
    /// An answer.
    Permanent,
    /// Our own fault.
    Ignored,
    /// A panic.
    Panic,
}
