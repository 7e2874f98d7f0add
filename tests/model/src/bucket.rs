//! The token bucket: GCRA in sixteenths of a nanosecond, in which every interval that is tried here is a whole number.

use crate::flaw::Flaw;

const UNITS: u128 = 16;
/// How much later than its moment a token may be used: that of who gave up by the next, one's own beyond one interval.
const SLACK: u64 = 10_000_000;

/// One token per interval, in nanoseconds; so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Nanoseconds from token to token.
    pub interval: u64,
    /// Tokens at once.
    pub burst: u32,
}

impl Rate {
    fn units(self) -> u128 {
        UNITS * u128::from(self.interval)
    }

    fn tolerance(self) -> u128 {
        self.units() * u128::from(self.burst)
    }
}

/// The right to start one call at a moment.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    /// When.
    pub at: u64,
    /// Until when all is paid with it; `None` if it was somebody else's.
    paid: Option<u128>,
    /// The rate by which it was reckoned.
    number: usize,
}

/// A rate took the place of another.
#[derive(Clone, Copy, Debug)]
struct Change {
    before: Rate,
    after: Rate,
    old_floor: u128,
    floor: u128,
    at: u64,
}

/// A token bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// What holds now.
    pub rate: Rate,
    flaw: Option<Flaw>,
    paid_until: u128,
    paused_until: u64,
    /// What the last pause left to be paid.
    floor: u128,
    /// By how much the pause has pushed what is paid.
    pushed: u128,
    changes: Vec<Change>,
    /// The moments of those who gave up.
    freed: Vec<u64>,
}

impl Bucket {
    /// A full one.
    #[must_use]
    pub const fn new(rate: Rate, flaw: Option<Flaw>) -> Self {
        Self { rate, flaw, paid_until: 0, paused_until: 0, floor: 0, pushed: 0, changes: Vec::new(), freed: Vec::new() }
    }

    fn tolerance(&self) -> u128 {
        let more = if self.flaw == Some(Flaw::BurstPlusOne) { self.rate.units() } else { 0 };
        self.rate.tolerance() + more
    }

    fn slack(&self) -> u64 {
        self.rate.interval + SLACK
    }

    /// How often the rate has changed.
    #[must_use]
    pub fn number(&self) -> usize {
        self.changes.len()
    }

    /// Until when all is paid with so many more, and from when on they are good.
    fn after(&self, tokens: u32, now: u64) -> (u128, u64) {
        let here = UNITS * u128::from(now);
        let paid = self.paid_until.max(here) + u128::from(tokens) * self.rate.units();
        let conforms = paid <= here + self.tolerance();
        (paid, if conforms { now } else { moment((paid - self.tolerance()).div_ceil(UNITS)) })
    }

    /// So many for now; otherwise when they are there.
    ///
    /// # Errors
    ///
    /// That moment.
    pub fn take(&mut self, tokens: u32, now: u64) -> Result<(), u64> {
        let (paid, at) = self.after(tokens, now);
        if at > now {
            return Err(at);
        }
        self.paid_until = paid;
        Ok(())
    }

    /// Puts back the token that was taken last, just now.
    pub fn untake(&mut self) {
        let paid = self.paid_until;
        self.give_back(Token { at: 0, paid: Some(paid), number: self.number() });
    }

    /// The next free moment, if that is by `until`.
    ///
    /// # Errors
    ///
    /// When it would be.
    pub fn reserve(&mut self, now: u64, until: u64) -> Result<Token, u64> {
        let paused_until = self.paused_until;
        self.freed.retain(|&at| at.saturating_add(SLACK) >= now && at >= paused_until);
        let earliest = self.freed.iter().copied().min();
        if let Some(at) = earliest.filter(|&at| at.max(now) <= until) {
            let place = self.freed.iter().position(|&freed| freed == at).unwrap_or_default();
            self.freed.remove(place);
            return Ok(Token { at, paid: None, number: self.number() });
        }
        let (paid, at) = self.after(1, now);
        if at > until {
            return Err(earliest.map_or(at, |freed| freed.min(at)));
        }
        self.paid_until = paid;
        Ok(Token { at, paid: Some(paid), number: self.number() })
    }

    /// A token that will not be used. Nobody came after it: it was never taken. Else its moment is the next reserver's.
    pub fn give_back(&mut self, token: Token) {
        if self.flaw == Some(Flaw::TokenLostOnCancel) {
            return;
        }
        match token.paid {
            Some(paid) if token.number == self.number() && paid == self.paid_until => {
                self.paid_until = paid.saturating_sub(self.rate.units()).max(paid.min(self.floor));
            }
            _ => {
                let at = self.carried(token).at;
                self.freed.push(at);
            }
        }
    }

    /// Too late to be used without breaking the rate, or inside a pause that came later.
    #[must_use]
    pub fn is_stale(&self, token: Token, now: u64) -> bool {
        let is_late = now > token.at.saturating_add(self.slack()) && self.flaw != Some(Flaw::StaleTokenIsUsed);
        is_late || now < self.paused_until
    }

    /// Nothing before the wait is over, and one call then: a server asked for it.
    pub fn pause(&mut self, now: u64, wait: u64) {
        if self.flaw != Some(Flaw::HintDoesNotPause) {
            let before = if self.paused_until > now { self.pushed } else { 0 };
            self.paused_until = self.paused_until.max(now.saturating_add(wait));
            self.floor = self.pause_floor(self.rate);
            self.pushed = before + self.floor.saturating_sub(self.paid_until);
            self.paid_until = self.paid_until.max(self.floor);
        }
    }

    fn pause_floor(&self, rate: Rate) -> u128 {
        UNITS * u128::from(self.paused_until) + rate.tolerance() - rate.units()
    }

    /// What is owed stays owed, in calls; a pause stays a pause; who waits keeps the place in line.
    pub fn change(&mut self, rate: Rate, now: u64) {
        let before = self.rate;
        if before == rate {
            return;
        }
        let is_paused = self.paused_until > now;
        let floor = |rate| if is_paused { self.pause_floor(rate) } else { UNITS * u128::from(now) };
        let change = Change { before, after: rate, old_floor: floor(before), floor: floor(rate), at: now };
        let number = self.number();
        let freed = std::mem::take(&mut self.freed);
        self.changes.push(change);
        self.rate = rate;
        self.floor = if is_paused { change.floor } else { 0 };
        let kept = freed.into_iter().filter(|at| at.saturating_add(SLACK) >= now);
        let carried: Vec<u64> = kept.map(|at| self.carried(Token { at, paid: None, number }).at).collect();
        self.freed = carried;
        let is_owed = is_paused || self.paid_until > change.old_floor;
        let forgets = self.flaw == Some(Flaw::NewRateForgetsDebt) && !is_paused;
        let owed = self.paid_until.saturating_sub(self.pushed).saturating_sub(UNITS * u128::from(now));
        self.paid_until = if is_owed && !forgets { change.carry(self.paid_until) } else { 0 };
        if is_paused && self.flaw != Some(Flaw::PauseForgivesDebt) {
            let owed = UNITS * u128::from(now) + owed * rate.units() / before.units();
            self.paid_until = self.paid_until.max(owed);
            self.pushed = self.paid_until - owed;
        }
    }

    /// The same place in line, by the rate as it is now.
    #[must_use]
    pub fn carried(&self, token: Token) -> Token {
        let changes = &self.changes[token.number..];
        let (Some(first), Some(last)) = (changes.first(), changes.last()) else { return token };
        let paid = token.paid.unwrap_or_else(|| UNITS * u128::from(token.at) + first.before.tolerance());
        let paid = changes.iter().fold(paid, |paid, change| change.carry(paid));
        let at = moment(paid.saturating_sub(last.after.tolerance()).div_ceil(UNITS)).max(last.at);
        Token { at, paid: Some(paid), number: self.number() }
    }

    /// Moments at which something changes.
    #[must_use]
    pub fn moments(&self, now: u64) -> Vec<u64> {
        vec![self.after(1, now).1, self.after(self.rate.burst, now).1, self.paused_until]
    }

    /// When nothing is owed any more.
    #[must_use]
    pub fn is_full_at(&self) -> u64 {
        moment(self.paid_until.div_ceil(UNITS)).max(self.paused_until)
    }
}

impl Change {
    fn carry(&self, paid: u128) -> u128 {
        self.floor + paid.saturating_sub(self.old_floor) * self.after.units() / self.before.units()
    }
}

fn moment(nanos: u128) -> u64 {
    u64::try_from(nanos).unwrap_or(u64::MAX)
}
