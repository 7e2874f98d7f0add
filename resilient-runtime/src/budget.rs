//! The retry budget: how much extra load retries may add.
//!
//! One atomic word says when the pool would be full again by time alone. A retry moves it one token later, a success a share of a
//! token earlier, and 0 is full, so a healthy call reads one zero. It joins the retry throttle of gRPC (gRFC A6) with the time-based
//! allowance of Finagle's `RetryBudget`.

#![deny(clippy::arithmetic_side_effects)]

use crate::clock::{Instant, now};
use crate::configure::words::{Words as _, words};
use crate::pools::Pools;
use crate::sync::{AtomicU64, Mutex, OnceBox, Ordering, lock, seeded};

const SECOND: f64 = 1e9;

/// How much extra load retries may add: settings for a [budget shared by name](crate::Configuration::budget).
///
/// In the long run retries are at most `ratio` of the successes plus `per_second`, and `pool` at once.
///
/// ```
/// # use resilient_runtime as resilient;
/// use resilient::RetryBudget;
///
/// resilient::configure()
///     .budget("partner", RetryBudget::new().ratio(0.1).per_second(5.0).pool(50))
///     .install()?;
/// # Ok::<(), resilient::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RetryBudget {
    enabled: Option<bool>,
    ratio: Option<f64>,
    per_second: Option<f64>,
    pool: Option<u32>,
}

words! { RetryBudget { enabled = "enabled", ratio = "ratio", per_second = "per_second", pool = "pool" } }

impl RetryBudget {
    pub(crate) const BUILT_IN: Self = Self { enabled: Some(true), ratio: Some(0.2), per_second: Some(10.0), pool: Some(100) };

    /// The defaults: a ratio of 0.2, 10 per second, a pool of 100.
    #[must_use]
    pub const fn new() -> Self {
        Self { enabled: None, ratio: None, per_second: None, pool: None }
    }

    /// Retries that each success earns, from 0 to 10.
    #[must_use]
    pub const fn ratio(mut self, ratio: f64) -> Self {
        self.ratio = Some(ratio);
        self
    }

    /// Retries that each second earns, from 0.001 to 10⁶.
    #[must_use]
    pub const fn per_second(mut self, per_second: f64) -> Self {
        self.per_second = Some(per_second);
        self
    }

    /// Retries that can be saved up, from 1 to 10⁶.
    #[must_use]
    pub const fn pool(mut self, pool: u32) -> Self {
        self.pool = Some(pool);
        self
    }

    /// `false` lets every retry through that `retries` allows.
    #[must_use]
    pub const fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = Some(enabled);
        self
    }

    pub(crate) const fn problem(&self) -> Option<&'static str> {
        if matches!(self.ratio, Some(ratio) if !(ratio >= 0.0 && ratio <= 10.0)) {
            return Some("`ratio` must be from 0 to 10");
        }
        if matches!(self.per_second, Some(rate) if !(rate >= 0.001 && rate <= 1e6)) {
            return Some("`per_second` must be from 0.001 to 1000000");
        }
        if matches!(self.pool, Some(pool) if pool == 0 || pool > 1_000_000) {
            return Some("`pool` must be from 1 to 1000000");
        }
        None
    }
}

/// A pool of retries.
///
/// The last bits of each word say with which change it came, so that what was taken by one change's terms is never counted by
/// another's: whoever meets words of two changes waits until the later one is complete.
#[derive(Debug)]
pub(crate) struct Budget {
    /// When it is full again by time alone, and the change; without that, 0 is full.
    full_at: AtomicU64,
    terms: AtomicU64,
    /// What a success earns, and the change.
    gain: AtomicU64,
    changing: Mutex<()>,
    /// What a call hands down that has this pool and no parent.
    alone: OnceBox<Pools>,
}

/// As many changes may come within one look at a pool; times are multiples of it.
const CHANGES: u64 = 4;
const POOL: u32 = 2;
const TOKEN: u32 = 22;

/// How long a token takes to come back by time alone, in nanoseconds, above how many there can be, above the change. No token is no
/// limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Terms(u64);

impl Terms {
    const UNLIMITED: Self = Self(0);

    /// Those settings, without a change, and what a success earns by them. They must have no [`RetryBudget::problem`].
    fn of(settings: RetryBudget) -> (Self, u64) {
        let settings = settings.or(RetryBudget::BUILT_IN);
        if settings.enabled == Some(false) {
            return (Self::UNLIMITED, 0);
        }
        let token = SECOND / settings.per_second.unwrap_or_default();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ranges are checked; a float cast saturates")]
        let (token, gain) = (even(token as u64), even((token * settings.ratio.unwrap_or_default()) as u64));
        (Self((token << TOKEN).saturating_add(u64::from(settings.pool.unwrap_or_default()) << POOL)), gain)
    }

    const fn at(self, change: u64) -> Self {
        Self(even(self.0).saturating_add(change))
    }

    const fn change(self) -> u64 {
        self.0 % CHANGES
    }

    const fn token(self) -> u64 {
        self.0 >> TOKEN
    }

    /// How long the whole pool takes to come back.
    const fn pool(self) -> u64 {
        self.token().saturating_mul((self.0 >> POOL) % (1 << (TOKEN - POOL)))
    }

    const fn are_unlimited(self) -> bool {
        self.token() == 0
    }

    fn after_taking(self, full_at: u64, now: u64) -> Option<u64> {
        if self.are_unlimited() {
            return Some(full_at);
        }
        let from = if seeded!("budget: more than full") { full_at } else { now.max(full_at) };
        let next = from.checked_add(self.token())?;
        (next.saturating_sub(now) <= self.pool()).then_some(next)
    }

    /// What was taken stays taken, in retries; it is never more than the pool holds.
    #[expect(clippy::arithmetic_side_effects, reason = "64 bits times 64 fit into 128, and no token takes no time")]
    fn carry(self, full_at: u64, before: Self, now: u64) -> u64 {
        if full_at == 0 || self.are_unlimited() {
            return full_at;
        }
        let left = full_at.saturating_sub(now);
        if left == 0 {
            return 0;
        }
        let token = if before.are_unlimited() { self } else { before }.token();
        let owed = u128::from(left) * u128::from(self.token()) / u128::from(token);
        even(now.saturating_add(u64::try_from(owed).unwrap_or(u64::MAX).min(self.pool())))
    }
}

/// Without the change.
const fn even(word: u64) -> u64 {
    word.saturating_sub(word % CHANGES)
}

fn moment(now: Instant) -> u64 {
    even(now.as_nanos())
}

/// A pool that is always full.
pub(crate) static UNLIMITED: Budget = Budget::unlimited();

impl Budget {
    pub(crate) fn new(settings: RetryBudget) -> Self {
        let budget = Self::unlimited();
        budget.change(settings);
        budget
    }

    pub(crate) const fn unlimited() -> Self {
        Self {
            full_at: AtomicU64::new(0),
            terms: AtomicU64::new(Terms::UNLIMITED.0),
            gain: AtomicU64::new(0),
            changing: Mutex::new(()),
            alone: OnceBox::new(),
        }
    }

    /// The pool as what a call hands down; `None` if it is unlimited.
    pub(crate) fn pools(&'static self) -> Option<&'static Pools> {
        (!self.is_unlimited()).then(|| self.alone.get_or_init(|| Box::new(Pools::new(Some(self), None))))
    }

    fn is_unlimited(&self) -> bool {
        Terms(self.terms.load(Ordering::Relaxed)).are_unlimited()
    }

    /// The settings must have no [`RetryBudget::problem`].
    pub(crate) fn change(&self, settings: RetryBudget) {
        let _changing = lock(&self.changing);
        let before = Terms(self.terms.load(Ordering::Relaxed));
        let (terms, gain) = Terms::of(settings);
        let change = before.change().wrapping_add(1) % CHANGES;
        if (terms.at(before.change()), gain) == (before, even(self.gain.load(Ordering::Relaxed))) {
            return;
        }
        self.gain.swap(gain.saturating_add(change), Ordering::Relaxed);
        self.terms.swap(terms.at(change).0, Ordering::Relaxed);
        let carry = |full_at: u64| Some(terms.carry(even(full_at), before, moment(now())).saturating_add(change));
        let _ = self.full_at.fetch_update(Ordering::AcqRel, Ordering::Relaxed, carry);
    }

    /// Full, whatever was taken.
    fn refill(&self) {
        let _changing = lock(&self.changing);
        let change = Terms(self.terms.load(Ordering::Relaxed)).change();
        self.full_at.swap(change, Ordering::Relaxed);
    }

    /// The first word, the terms by which it counts, and what a success earns.
    fn look(&self) -> (u64, Terms, u64) {
        loop {
            let full_at = self.full_at.load(Ordering::Acquire);
            let (terms, gain) = (Terms(self.terms.load(Ordering::Relaxed)), self.gain.load(Ordering::Relaxed));
            let change = full_at % CHANGES;
            if (terms.change() == change && gain % CHANGES == change) || seeded!("budget: mixed terms") {
                return (full_at, terms, even(gain));
            }
            drop(lock(&self.changing));
        }
    }

    /// When the pool is full, by the terms and what a success earns, from when it was.
    fn update(&self, next: impl Fn(u64, Terms, u64) -> Option<u64>) -> bool {
        loop {
            let (full_at, terms, gain) = self.look();
            let Some(next) = next(even(full_at), terms, gain) else { return false };
            let next = next.saturating_add(full_at % CHANGES);
            if seeded!("budget: load then store") {
                self.full_at.swap(next, Ordering::Relaxed);
                return true;
            }
            if self.full_at.compare_exchange_weak(full_at, next, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                return true;
            }
        }
    }

    /// One retry, if the pool has it.
    pub(crate) fn take(&self, now: Instant) -> bool {
        self.is_unlimited() || self.update(|full_at, terms, _| terms.after_taking(full_at, moment(now)))
    }

    /// Whether the pool has a retry.
    pub(crate) fn has(&self, now: Instant) -> bool {
        let (full_at, terms, _) = self.look();
        terms.after_taking(even(full_at), moment(now)).is_some()
    }

    /// A retry that was taken and will not be made.
    pub(crate) fn put_back(&self) {
        self.update(|full_at, terms, _| Some(full_at.saturating_sub(terms.token())));
    }

    /// A full pool has nothing to earn, and nobody need look at a clock for it.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.full_at.load(Ordering::Relaxed) < CHANGES
    }

    /// A success earns its share.
    pub(crate) fn earn(&self, now: Instant) {
        self.update(|full_at, _, gain| {
            let left = full_at.saturating_sub(moment(now));
            (full_at != 0).then_some(if left <= gain { 0 } else { full_at.saturating_sub(gain) })
        });
    }
}

/// A pool for as long as its owner lives. Whoever retries holds on to pools for ever, so they are not freed but handed on.
#[derive(Debug)]
pub(crate) struct Lease(pub(crate) &'static Budget);

static RETURNED: Mutex<Vec<&'static Budget>> = Mutex::new(Vec::new());

impl Lease {
    /// The settings must have no [`RetryBudget::problem`].
    pub(crate) fn new(settings: RetryBudget) -> Self {
        let returned = lock(&RETURNED).pop();
        let budget = returned.unwrap_or_else(|| Box::leak(Box::new(Budget::unlimited())));
        budget.refill();
        budget.change(settings);
        Self(budget)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        lock(&RETURNED).push(self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::arithmetic_side_effects, reason = "few")]
    fn at(millis: u64) -> Instant {
        Instant::from_nanos(1_000_000_000_000 + millis * 1_000_000)
    }

    fn drain(budget: &Budget, now: Instant) -> u32 {
        (0..1_000_000).take_while(|_| budget.take(now)).count().try_into().unwrap_or(u32::MAX)
    }

    #[test]
    fn a_pool_of_a_hundred_and_ten_a_second() {
        let budget = Budget::new(RetryBudget::new());
        assert_eq!(drain(&budget, at(0)), 100);
        assert_eq!(drain(&budget, at(99)), 0);
        assert_eq!(drain(&budget, at(1_000)), 10);
        assert_eq!(drain(&budget, at(60_000)), 100);
    }

    #[test]
    fn five_successes_earn_a_retry() {
        let budget = Budget::new(RetryBudget::new());
        drain(&budget, at(0));
        for _ in 0..4 {
            budget.earn(at(0));
        }
        assert_eq!(drain(&budget, at(0)), 0);
        budget.earn(at(0));
        assert_eq!(drain(&budget, at(0)), 1);
    }

    #[test]
    fn a_pool_becomes_full_again() {
        let budget = Budget::new(RetryBudget::new());
        budget.earn(at(0));
        assert!(budget.is_full() && budget.take(at(0)) && !budget.is_full());
        budget.earn(at(90));
        assert!(budget.is_full());
    }

    #[test]
    fn retries_stay_within_the_share_that_was_set() {
        for ratio in [0.01, 0.1, 0.33, 0.6, 0.99, 1.0, 1.5] {
            let budget = Budget::new(RetryBudget::new().ratio(ratio).per_second(0.001).pool(1));
            budget.take(at(0));
            let successes = 10_000_u32;
            let retries = (0..successes).fold(0, |retries, _| {
                budget.earn(at(0));
                retries + drain(&budget, at(0))
            });
            let allowed = ratio * f64::from(successes);
            assert!(f64::from(retries) <= allowed + 1.0, "{ratio}: {retries}");
            assert!(f64::from(retries) >= allowed.min(f64::from(successes)) * 0.49 - 1.0, "{ratio}: {retries}");
        }
    }

    #[test]
    fn pools_are_handed_on_rather_than_made() {
        let places: std::collections::BTreeSet<_> =
            (0..1_000).map(|_| std::ptr::from_ref(Lease::new(RetryBudget::new()).0).addr()).collect();
        assert!(places.len() < 500, "{} pools", places.len());
    }

    #[test]
    fn the_same_settings_again_change_nothing() {
        let budget = Budget::new(RetryBudget::new());
        assert!(budget.take(at(0)));
        let before = budget.full_at.load(Ordering::Relaxed);
        budget.change(RetryBudget::new());
        assert_eq!(budget.full_at.load(Ordering::Relaxed), before);
    }

    #[test]
    fn a_retry_that_is_not_made_is_put_back() {
        let budget = Budget::new(RetryBudget::new().pool(3));
        assert!(budget.has(at(0)) && budget.take(at(0)));
        budget.put_back();
        assert_eq!(drain(&budget, at(0)), 3);
        assert!(!budget.has(at(0)));
        budget.put_back();
        assert_eq!(drain(&budget, at(0)), 1);
    }

    #[test]
    fn a_returned_pool_is_full_when_it_is_handed_on() {
        let lease = Lease::new(RetryBudget::new().pool(3));
        drain(lease.0, at(0));
        drop(lease);
        let leases = [(); 8].map(|()| Lease::new(RetryBudget::new().pool(5)));
        assert!(leases.iter().all(|lease| drain(lease.0, at(0)) == 5));
    }

    #[test]
    fn what_was_taken_stays_taken_in_retries_when_the_rate_changes() {
        let settings = |per_second, pool| RetryBudget::new().per_second(per_second).pool(pool);
        for (before, after) in [(0.001, 10.0), (10.0, 0.001), (10.0, 10.0)] {
            let budget = Budget::new(settings(before, 10));
            let now = now();
            assert_eq!((0..4).filter(|_| budget.take(now)).count(), 4);
            budget.change(settings(after, 10));
            assert!((5..=6).contains(&drain(&budget, now)), "{before} {after}");
            budget.change(settings(after, 5));
            budget.earn(now.plus(3_600_000_000_000));
            assert!(drain(&budget, now.plus(5_000_000_000_000)) >= 5, "never more than the pool is owed");
        }
    }

    /// It became full at the moment of the change, and owed what the clock then went back.
    #[test]
    fn a_pool_that_was_full_again_owes_nothing_after_a_change() {
        let budget = Budget::new(RetryBudget::new());
        assert!(budget.take(Instant::from_nanos(1)) && !budget.is_full());
        budget.change(RetryBudget::new().pool(10));
        assert!(budget.is_full());
    }

    #[test]
    fn a_pool_holds_as_many_as_are_set_whatever_a_token_takes() {
        for per_second in [0.001, 0.3, 3.0, 7.0, 999_999.0, 1_000_000.0] {
            for pool in [1, 2, 1_000, 30_001] {
                let budget = Budget::new(RetryBudget::new().per_second(per_second).pool(pool));
                assert_eq!(drain(&budget, at(0)), pool, "{per_second}/s");
            }
        }
    }

    #[test]
    fn what_was_taken_stays_taken_while_nothing_is_counted() {
        let settings = RetryBudget::new().per_second(0.001).pool(3);
        let budget = Budget::new(settings);
        let now = now();
        assert_eq!(drain(&budget, now), 3);
        budget.change(settings.enabled(false));
        assert!(budget.take(now));
        budget.change(settings);
        assert_eq!(drain(&budget, now), 0);
    }

    #[test]
    fn a_pool_to_which_the_least_is_owed_is_not_full() {
        let settings = RetryBudget::new().ratio(0.996).per_second(1e6);
        let budget = Budget::new(settings);
        for pool in 1..CHANGES {
            budget.change(settings.pool(u32::try_from(pool).unwrap()));
        }
        let start = Instant::from_nanos(0);
        assert!(budget.take(start));
        budget.earn(start);
        assert_eq!(budget.full_at.load(Ordering::Relaxed), CHANGES);
        assert!(!budget.is_full());
        budget.earn(start);
        assert!(budget.is_full());
    }

    #[test]
    fn one_that_is_switched_off_has_always_a_retry() {
        let budget = Budget::new(RetryBudget::new().pool(1));
        assert!(budget.take(at(0)) && !budget.has(at(0)));
        budget.change(RetryBudget::new().pool(1).enabled(false));
        assert!((0..3).all(|_| budget.has(at(0)) && budget.take(at(0))));
    }

    #[test]
    fn where_clocks_end_it_gives_no_more_than_its_pool_and_its_word_can_be_read() {
        let (terms, _) = Terms::of(RetryBudget::new());
        for (left, pool) in [(0, 0), (1, 0), (1_000_000_000, 10), (5_000_000_000, 50), (3_600_000_000_000, 100)] {
            let (budget, now) = (Budget::new(RetryBudget::new()), Instant::NEVER.as_nanos().saturating_sub(left));
            let next = terms.after_taking(even(now), even(now));
            assert!(next.is_none_or(|next| next % CHANGES == 0), "a change can be added, or nobody could read it: {next:?}");
            assert_eq!(drain(&budget, Instant::from_nanos(now)), pool, "{left} ns before the end");
            budget.put_back();
            budget.earn(Instant::from_nanos(now));
            assert!(drain(&budget, Instant::from_nanos(now)) <= 2, "{left} ns before the end");
            let carried = terms.carry(u64::MAX, terms, even(now));
            assert!(carried % CHANGES == 0 && carried.saturating_sub(now) <= terms.pool(), "a change can be added: {carried}");
        }
    }

    #[test]
    fn time_that_goes_back_gives_nothing_away() {
        let budget = Budget::new(RetryBudget::new());
        drain(&budget, at(10_000));
        assert_eq!(drain(&budget, at(0)), 0);
    }
}
