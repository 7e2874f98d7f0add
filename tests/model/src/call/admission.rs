//! What an attempt asks for before its body runs, and gives back.

use super::{Kind, Step, Stop, World};
use crate::Told;
use crate::breaker::{self, Permit};
use crate::event::Event;
use crate::flaw::Flaw;
use crate::function::NEVER;

/// A probe that times out must be able to say so before its lease ends.
const LEASE_SLACK: u64 = 100_000_000;

impl World {
    pub(super) fn ask(&mut self, who: usize) -> Result<Step, Stop> {
        if self.now >= self.calls[who].ends {
            return Ok(Step::Refuse(Kind::DeadlineExceeded, Told::Nothing));
        }
        let permit = match self.ask_breaker(who)? {
            Ok(permit) => permit,
            Err(told) => return Ok(Step::Refuse(Kind::CircuitOpen, told)),
        };
        let missing = self.ask_bucket(who).or_else(|| self.ask_bulkhead(who));
        match (missing, permit) {
            (None, permit) => {
                if permit.is_some_and(|permit| permit.is_excused())
                    && let Some(count) = self.excused.count(self.now)
                {
                    self.tell(Event::WouldReject(count));
                }
                (self.calls[who].permit, self.calls[who].token) = (permit, None);
                Ok(Step::Run)
            }
            (Some(step), Some(permit)) if self.has(Flaw::BreakerIsAskedOnce) => {
                self.calls[who].early_permit = Some(permit);
                Ok(step)
            }
            (Some(step), permit) => {
                // Nobody keeps a probe's place while waiting for something else.
                if let (Some(breaker), Some(permit)) = (&mut self.breaker, permit) {
                    breaker.settle(permit, breaker::Result::Neutral, self.now, self.now);
                }
                Ok(step)
            }
        }
    }

    fn ask_breaker(&mut self, who: usize) -> Result<Result<Option<Permit>, Told>, Stop> {
        if let Some(permit) = self.calls[who].early_permit.take() {
            return Ok(Ok(Some(permit)));
        }
        let timeout = self.function_of(who).timeout;
        let Some(breaker) = &mut self.breaker else { return Ok(Ok(None)) };
        let lease = if timeout == NEVER { breaker.settings.max_recovery_timeout } else { timeout.saturating_add(LEASE_SLACK) };
        Ok(breaker.ask(self.now, lease)?.map(Some))
    }

    fn ask_bucket(&mut self, who: usize) -> Option<Step> {
        let (now, call) = (self.now, &mut self.calls[who]);
        let bucket = self.bucket.as_mut()?;
        let until = call.gives_up.max(now);
        let mut held = call.token.take().map(|token| bucket.carried(token));
        if let Some(stale) = held.take_if(|token| token.at <= now && bucket.is_stale(*token, now)) {
            bucket.give_back(stale);
        }
        let exclusive = u64::from(self.flaw == Some(Flaw::LongestWaitExclusive) && until > now);
        let token = match held {
            Some(token) if token.at > until => {
                bucket.give_back(token);
                Err(token.at)
            }
            Some(token) => Ok(token),
            None => bucket.reserve(now, until - exclusive),
        };
        match token {
            Err(due) => Some(Step::Refuse(Kind::RateLimited, Told::Exactly(due.saturating_sub(now).max(1)))),
            Ok(token) => {
                call.token = Some(token);
                (token.at > now).then_some(Step::Sleep)
            }
        }
    }

    fn ask_bulkhead(&mut self, who: usize) -> Option<Step> {
        let call = &mut self.calls[who];
        let bulkhead = self.bulkhead.as_mut().filter(|_| !call.has_place)?;
        call.has_place = bulkhead.enter();
        if call.has_place {
            return None;
        }
        if self.now >= call.gives_up {
            return Some(Step::Refuse(Kind::BulkheadFull, Told::Nothing));
        }
        // Kept in line it would go stale.
        self.give_token_back(who);
        Some(Step::Queue)
    }

    fn give_token_back(&mut self, who: usize) {
        if let (Some(bucket), Some(token)) = (&mut self.bucket, self.calls[who].token.take()) {
            bucket.give_back(token);
        }
    }

    pub(super) fn give_place_back(&mut self, who: usize) {
        if let Some(bulkhead) = self.bulkhead.as_mut().filter(|_| std::mem::take(&mut self.calls[who].has_place)) {
            bulkhead.release();
        }
    }

    pub(super) fn give_everything_back(&mut self, who: usize) {
        self.give_token_back(who);
        self.give_place_back(who);
        if let (Some(breaker), Some(permit)) = (&mut self.breaker, self.calls[who].permit.take()) {
            breaker.cancel(permit, self.now);
        }
    }
}
