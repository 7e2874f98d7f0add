//! The retry budget: when the pool would be full again by time alone.

use crate::flaw::Flaw;

/// All times are multiples of so many nanoseconds.
const GRAIN: u64 = 4;

const fn coarse(nanos: u64) -> u64 {
    nanos - nanos % GRAIN
}

/// The settings, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long a retry takes to come back by time alone.
    pub token: u64,
    /// How much earlier it comes back by one success.
    pub gain: u64,
    /// Retries that are there at most.
    pub pool: u64,
}

impl Settings {
    const fn coarse(self) -> Self {
        Self { token: coarse(self.token), gain: coarse(self.gain), pool: self.pool }
    }
}

/// A retry budget.
#[derive(Clone, Debug)]
pub struct Budget {
    settings: Settings,
    flaw: Option<Flaw>,
    full_at: u64,
}

impl Budget {
    /// A full one.
    #[must_use]
    pub const fn new(settings: Settings, flaw: Option<Flaw>) -> Self {
        Self { settings: settings.coarse(), flaw, full_at: 0 }
    }

    /// One retry, if there is one.
    pub fn take(&mut self, now: u64) -> bool {
        let now = coarse(now);
        let Settings { token, pool, .. } = self.settings;
        let pool = pool + u64::from(self.flaw == Some(Flaw::BudgetOneMore));
        let full_at = self.full_at.max(now) + token;
        let is_there = full_at - now <= pool * token;
        if is_there {
            self.full_at = full_at;
        }
        is_there
    }

    /// A success.
    pub fn earn(&mut self, now: u64) {
        if self.flaw != Some(Flaw::SuccessEarnsNothing) {
            let is_full = self.full_at.saturating_sub(coarse(now)) <= self.settings.gain;
            self.full_at = if is_full { 0 } else { self.full_at - self.settings.gain };
        }
    }

    /// When it is full again by time alone.
    #[must_use]
    pub const fn is_full_at(&self) -> u64 {
        self.full_at
    }

    /// What was taken stays taken, in retries; it is never more than the pool holds.
    pub fn change(&mut self, settings: Settings, now: u64) {
        let (settings, now) = (settings.coarse(), coarse(now));
        if settings != self.settings && self.full_at != 0 {
            let owed = u128::from(self.full_at.saturating_sub(now)) * u128::from(settings.token);
            let owed = u64::try_from(owed / u128::from(self.settings.token)).unwrap_or(u64::MAX);
            self.full_at = if self.full_at <= now { 0 } else { now + coarse(owed.min(settings.pool * settings.token)) };
        }
        self.settings = settings;
    }
}
