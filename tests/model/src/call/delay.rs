//! The wait before another attempt, or why there is none.

use super::{Call, Stop, World};
use crate::flaw::Flaw;
use crate::function::{Backoff, Function, Jitter, NEVER};

const MILLI: u64 = 1_000_000;

/// What chance decided of a retry, as the library told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawn {
    /// A wait of so many milliseconds, rounded up.
    Wait(u64),
    /// One that would have ended after the deadline.
    TooLong,
    /// There is none, for another reason.
    Nothing,
}

impl World {
    /// The shortest and the longest wait, as they are known and as they might have been; or why there is none.
    #[expect(clippy::type_complexity, reason = "of one caller")]
    pub(super) fn next_delay(&mut self, who: usize, hint: u64) -> Result<Result<((u64, u64), (u64, u64)), &'static str>, Stop> {
        let (now, attempts, ends) = (self.now, self.calls[who].attempts, self.calls[who].ends);
        let drawn = self.drawn.pop_front();
        if attempts > self.function_of(who).retries + u32::from(self.has(Flaw::OneRetryTooMany)) {
            return Ok(Err("no retries left"));
        }
        if hint > self.function_of(who).max_retry_after {
            return Ok(Err("the server asks for more than max_retry_after"));
        }
        let (shortest, mut longest) = self.delay(who, hint);
        let ends = if self.has(Flaw::WaitMayEndAtDeadline) { ends.saturating_add(1) } else { ends };
        if ends != NEVER && now.saturating_add(longest) >= ends {
            let is_too_long = match drawn {
                _ if now.saturating_add(shortest) >= ends => true,
                Some(drawn) => drawn == Drawn::TooLong,
                None => return Err(Stop::Undecided),
            };
            if is_too_long {
                return Ok(Err("the next attempt would start after the deadline"));
            }
            longest = ends - now - 1;
        }
        if let Some(breaker) = &self.breaker
            && !self.has(Flaw::RetriesIntoOpenCircuit)
            && breaker.is_refusing(now)?
        {
            return Ok(Err("the circuit is open"));
        }
        if self.budget.as_mut().is_some_and(|budget| !budget.take(now)) {
            return Ok(Err("the retry budget is spent"));
        }
        let told = (shortest, longest);
        let known = match drawn {
            Some(Drawn::Wait(millis)) => (shortest.max((millis * MILLI).saturating_sub(MILLI - 1)), longest.min(millis * MILLI)),
            _ => told,
        };
        Ok(Ok((if known.0 <= known.1 { known } else { told }, told)))
    }

    /// The shortest and the longest wait after so many attempts: a hint is never fallen short of, and exceeded by a tenth at most.
    fn delay(&self, who: usize, hint: u64) -> (u64, u64) {
        let own = self.own_delay(who);
        if hint == 0 {
            return own;
        }
        let longest = self.function_of(who).max_retry_after;
        let (shortest_wait, longest_wait) = (own.0.max(hint), own.1.max(hint));
        let later = longest_wait.saturating_add(longest_wait / 10);
        (shortest_wait.min(longest.max(own.0)), later.min(longest.max(own.1)))
    }

    fn own_delay(&self, who: usize) -> (u64, u64) {
        let Call { attempts, previous_delay: previous, .. } = self.calls[who];
        let Function { base_delay, max_delay, backoff, jitter, .. } = self.function_of(who);
        let step = attempts - u32::from(self.has(Flaw::BackoffOneStepLate) && attempts > 1);
        let factor = match backoff {
            Backoff::Constant => 1,
            Backoff::Linear => u64::from(step),
            Backoff::Exponential => 1_u64.checked_shl(step - 1).unwrap_or(u64::MAX),
            Backoff::Fibonacci => fibonacci(step),
            Backoff::Decorrelated => {
                let times = if self.has(Flaw::DecorrelatedTwice) { 2 } else { 3 };
                return (base_delay.min(max_delay), previous.max(base_delay).saturating_mul(times).min(max_delay));
            }
        };
        let own = base_delay.saturating_mul(factor).min(max_delay);
        match jitter {
            Jitter::None => (own, own),
            Jitter::Full if self.has(Flaw::FullJitterIsEqual) => (own / 2, own),
            Jitter::Full => (0, own),
            Jitter::Equal => (own / 2, own),
            Jitter::Percent(percent) => {
                let part = own * percent / 100;
                (own - part, if self.has(Flaw::JitterOnlyShortens) { own } else { (own + part).min(max_delay) })
            }
        }
    }
}

fn fibonacci(place: u32) -> u64 {
    if place <= 2 { 1 } else { fibonacci(place - 1) + fibonacci(place - 2) }
}
