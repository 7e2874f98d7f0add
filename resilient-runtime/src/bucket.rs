//! The token bucket: GCRA in one atomic word.
//!
//! The generic cell rate algorithm (ITU-T I.371) keeps one moment, the theoretical arrival time: when all that was taken so far is
//! paid for. A call conforms if that moment, moved on by its interval, is at most the burst's worth ahead of now. There is no refill
//! task and nothing that could drift. Who may wait takes its slot at once, so waiters are served in order and wake once.

mod sleepers;

use crate::clock::{Face, Instant, Tick};
use crate::latest::Latest;
use crate::rate::{Interval, Rate};
use crate::sync::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Mutex, MutexGuard, Ordering, lock, seeded};
pub(crate) use sleepers::Sleeper;
use sleepers::Sleepers;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::task::Waker;
use std::time::Duration;

/// How much later than its slot a call may reach its body, beyond one interval.
const SLACK: u64 = 10_000_000;
/// No pause is longer, whatever a server and `max_retry_after` say.
const LONGEST_PAUSE: u64 = 365 * 86_400 * 1_000_000_000;
/// Slots of callers who gave up that are kept for the next; beyond that they are lost.
const FREED_SLOTS: usize = 4_096;
/// Stands in a word that a new rate has replaced.
pub(crate) const REPLACED: u64 = u64::MAX;

/// A token bucket, private to a function or shared by name: [`bucket`](crate::bucket).
#[derive(Debug)]
pub struct Bucket {
    is_disabled: AtomicBool,
    name: Option<&'static str>,
    clock: Face,
    meter: Latest<Meter>,
    paused_until: AtomicU64,
    /// Held by whoever changes more of the line than one word.
    line: Mutex<Line>,
    freed_count: AtomicUsize,
    sleepers: Sleepers,
    /// The rate by which all who wait have been woken.
    woken_for: AtomicU32,
}

#[derive(Debug, Default)]
struct Line {
    /// Slots of callers who gave up, the earliest first.
    freed: BinaryHeap<Reverse<Instant>>,
    /// By how much the pause has pushed what is paid, in units: so much of it nobody owes.
    pushed: u64,
}

/// One rate and what is owed at it.
#[derive(Debug)]
struct Meter {
    interval: Interval,
    rate: Rate,
    /// The theoretical arrival time, in units.
    paid_until: AtomicU64,
    /// How many there were before it.
    number: u32,
    replaced: Option<Replaced>,
}

/// What a rate replaced, so that whoever waits keeps the place in line that it had.
#[derive(Clone, Copy, Debug)]
struct Replaced {
    units: u64,
    /// What was paid until here by the old rate was owed no more; by the new one that is `floor`.
    old_floor: u64,
    floor: u64,
    at: Instant,
}

/// Why [`Bucket::try_acquire`] gave nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TryAcquireError {
    /// Not now; all of the tokens are there after this time, if nobody else takes any. Never zero.
    NotYet {
        /// Time until then.
        retry_after: Duration,
    },
    /// More tokens at once than the bucket ever holds, or none at all.
    Impossible {
        /// The number asked for.
        asked: u32,
        /// The most that can be had at once.
        burst: u64,
    },
}

impl std::fmt::Display for TryAcquireError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotYet { retry_after } => write!(formatter, "no token yet; try again in {retry_after:?}"),
            Self::Impossible { asked, burst } => {
                write!(formatter, "{asked} tokens at once can never be had: ask for 1 to {burst}, the bucket's burst")
            }
        }
    }
}

impl std::error::Error for TryAcquireError {}

impl Bucket {
    /// The rate must have no [`Rate::problem`].
    pub(crate) fn new(name: Option<&'static str>, rate: Rate) -> Self {
        Self {
            is_disabled: AtomicBool::new(false),
            name,
            clock: Face::find(),
            meter: Latest::new(Meter::new(rate, 0, None)),
            paused_until: AtomicU64::new(0),
            line: Mutex::default(),
            freed_count: AtomicUsize::new(0),
            sleepers: Sleepers::new(),
            woken_for: AtomicU32::new(0),
        }
    }

    /// Whether configuration has not switched it off; asked when a plan is made.
    pub(crate) fn is_enabled(&self) -> bool {
        !self.is_disabled.load(Ordering::Relaxed)
    }

    pub(crate) fn enable(&self, is_enabled: bool) {
        self.is_disabled.swap(!is_enabled, Ordering::Relaxed);
    }

    /// One that has no token, ever, and is not to be waited for.
    pub(crate) fn front(name: Option<&'static str>, rate: Rate) -> Self {
        let front = Self::new(name, rate);
        front.meter.get().paid_until.swap(REPLACED, Ordering::Relaxed);
        front
    }

    /// Takes what is owed to a word that is counted by other terms, which `take` hands over. Who asks meanwhile waits.
    pub(crate) fn take_over(&self, terms: &Interval, now: Instant, take: impl FnOnce() -> u64) {
        let _line = lock(&self.line);
        let meter = self.meter.get();
        meter.paid_until.swap(REPLACED, Ordering::AcqRel);
        let paid = carried(take(), terms, &meter.interval, now);
        meter.paid_until.swap(paid, Ordering::AcqRel);
    }

    /// Whether it has held nothing since then that a new one would not, as long as nobody uses it.
    pub(crate) fn is_idle(&self, since: Instant) -> bool {
        let meter = self.meter.get();
        let is_full = meter.paid_until.load(Ordering::Relaxed) <= meter.interval.units_at(since);
        is_full && self.paused_until() <= since && self.has_no_freed(since)
    }

    /// Slots that are too old for anybody are none.
    fn has_no_freed(&self, since: Instant) -> bool {
        let mut line = lock(&self.line);
        forget_until(&mut line.freed, |at| at.plus(SLACK) >= since);
        self.publish(&line);
        line.freed.is_empty()
    }

    /// The name by which functions share it; `None` if it is a function's own.
    #[must_use]
    pub fn name(&self) -> Option<&'static str> {
        self.name
    }

    /// The rate in force.
    #[must_use]
    pub fn rate(&self) -> Rate {
        self.meter.get().rate
    }

    /// Takes `tokens` now or not at all.
    ///
    /// # Errors
    ///
    /// [`TryAcquireError::NotYet`] with the wait, or [`TryAcquireError::Impossible`] for none, or for more than the burst. The wait
    /// for one token is exact; that for more is, unless callers have given up their places in line, which are had one by one.
    ///
    /// ```
    /// # use resilient_runtime as resilient;
    /// use resilient::TryAcquireError;
    ///
    /// let bucket = resilient::bucket("try_acquire's example");
    /// assert_eq!(bucket.try_acquire(1), Ok(()));
    /// assert!(matches!(bucket.try_acquire(1), Err(TryAcquireError::NotYet { .. })));
    /// assert_eq!(bucket.try_acquire(0), Err(TryAcquireError::Impossible { asked: 0, burst: 1 }));
    /// ```
    pub fn try_acquire(&self, tokens: u32) -> Result<(), TryAcquireError> {
        let burst = self.meter.get().interval.burst;
        if tokens == 0 || u64::from(tokens) > burst {
            return Err(TryAcquireError::Impossible { asked: tokens, burst });
        }
        let now = crate::clock::now();
        let not_yet = |due: Instant| TryAcquireError::NotYet { retry_after: Duration::from_nanos(due.since(now).max(1)) };
        if tokens == 1 {
            return self.reserve(now, now).map(Token::spend).map_err(not_yet);
        }
        self.take_many(u64::from(tokens), now, now).map(|_| ()).map_err(not_yet)
    }

    /// When there was a token, which is taken: a look at the clock, a compare-and-swap and nothing else. A rate that is no more has
    /// none.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "what a healthy call does must not spread over functions")]
    pub(crate) fn take_at_glance(&self) -> Option<Tick> {
        let now = self.clock.glance()?;
        (self.meter.original().take_now(now) || self.take_of_later_rate(now)).then_some(now)
    }

    #[cold]
    fn take_of_later_rate(&self, now: Tick) -> bool {
        self.meter.version() > 0 && self.meter.get().take_now(now)
    }

    /// The same at a moment that is known already.
    pub(crate) fn take_and_spend(&self, now: Instant) -> bool {
        self.take(now).map(Token::spend).is_some()
    }

    /// A token for now, if there is one.
    pub(crate) fn take(&self, now: Instant) -> Option<Token<'_>> {
        let meter = self.meter.get();
        meter.take(now).map(|paid| Token { bucket: self, meter, paid, at: now })
    }

    /// The next free slot, if it is due by `until`; otherwise when one will be, and nothing is taken.
    #[cold]
    pub(crate) fn reserve(&self, now: Instant, until: Instant) -> Result<Token<'_>, Instant> {
        self.take_freed(now, until).or_else(|earliest_freed| {
            let taken = self.take_many(1, now, until).map_err(|due| due.min(earliest_freed))?;
            let (meter, paid, at) = taken;
            Ok(Token { bucket: self, meter, paid, at })
        })
    }

    /// How much longer there is no token, if that is longer than a caller would wait; nothing is taken.
    pub(crate) fn refuses_for(&self, now: Instant, longest: u64) -> Option<u64> {
        let meter = self.meter.get();
        let paid = meter.paid_until.load(Ordering::Relaxed);
        if paid == REPLACED || self.freed_count.load(Ordering::Relaxed) > 0 {
            return None;
        }
        let (_, at) = meter.after_taking(paid, 1, now);
        (at > now.plus(longest)).then(|| at.since(now))
    }

    /// The meter they were taken from, until when that is paid, and from when on they are good.
    fn take_many(&self, tokens: u64, now: Instant, until: Instant) -> Result<(&Meter, u64, Instant), Instant> {
        let mut meter = self.meter.get();
        let mut paid = meter.paid_until.load(Ordering::Relaxed);
        loop {
            if paid == REPLACED {
                self.await_change();
                meter = self.meter.get();
                paid = meter.paid_until.load(Ordering::Relaxed);
                continue;
            }
            let (next, at) = meter.after_taking(paid, tokens, now);
            if at > until || at == Instant::NEVER || next == REPLACED {
                return Err(at);
            }
            match meter.paid_until.compare_exchange_weak(paid, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok((meter, next, at)),
                Err(actual) => paid = actual,
            }
        }
    }

    /// Whoever replaces the word has the lock until another is in its place.
    #[cold]
    fn await_change(&self) {
        drop(lock(&self.line));
    }

    /// The earliest slot of those who gave up, or when that is due. Who used it long after its time would be too close to the next.
    fn take_freed(&self, now: Instant, until: Instant) -> Result<Token<'_>, Instant> {
        if self.freed_count.load(Ordering::Relaxed) == 0 {
            return Err(Instant::NEVER);
        }
        let mut line = lock(&self.line);
        let meter = self.meter.get();
        let paused_until = self.paused_until();
        if !seeded!("bucket: slots of long ago") {
            forget_until(&mut line.freed, |at| at.plus(SLACK) >= now && at >= paused_until);
        }
        let earliest = line.freed.peek().map_or(Instant::NEVER, |&Reverse(at)| at);
        let taken = if earliest.max(now) <= until { line.freed.pop() } else { None };
        self.publish(&line);
        taken.map(|Reverse(at)| Token { bucket: self, meter, paid: 0, at }).ok_or(earliest)
    }

    #[cfg(test)]
    pub(crate) fn hold_lock(&self) -> impl Sized {
        lock(&self.line)
    }

    #[expect(clippy::disallowed_methods, reason = "written under the lock alone")]
    fn publish(&self, line: &MutexGuard<'_, Line>) {
        self.freed_count.store(line.freed.len(), Ordering::Relaxed);
    }

    /// Admits nothing before the wait is over, and nothing in a bunch right after: a server asked for it.
    #[cold]
    pub(crate) fn pause(&self, now: Instant, wait: u64) {
        let until = now.plus(wait.min(LONGEST_PAUSE));
        // A new rate, or a slot that is given back, comes before all of it or after.
        let mut line = (!seeded!("bucket: unguarded pause")).then(|| lock(&self.line));
        let was_paused = self.paused_until.fetch_max(until.as_nanos(), Ordering::AcqRel) > now.as_nanos();
        let meter = self.meter.get();
        let floor = self.pause_floor(&meter.interval);
        let push = |paid: u64| (paid != REPLACED && paid < floor).then_some(floor.min(REPLACED - 1));
        if seeded!("bucket: a pause tries once") {
            let paid = meter.paid_until.load(Ordering::Relaxed);
            push(paid).map(|next| meter.paid_until.compare_exchange(paid, next, Ordering::Relaxed, Ordering::Relaxed));
            return;
        }
        let pushed = meter.paid_until.fetch_update(Ordering::Relaxed, Ordering::Relaxed, push).map_or(0, |paid| floor - paid);
        if let Some(line) = &mut line {
            line.pushed = pushed.saturating_add(if was_paused { line.pushed } else { 0 });
        }
    }

    pub(crate) fn paused_until(&self) -> Instant {
        Instant::from_nanos(self.paused_until.load(Ordering::Acquire))
    }

    /// What must be paid for the first call after the pause to start at its end.
    fn pause_floor(&self, interval: &Interval) -> u64 {
        interval.units_until(self.paused_until()).saturating_add(interval.slack)
    }

    /// What must stay paid when a token of that meter is given back. A pause that was over when its rate came has left a debt in the
    /// word, and nothing else.
    fn floor_of(&self, meter: &Meter) -> u64 {
        let is_over = meter.replaced.is_some_and(|replaced| self.paused_until() <= replaced.at);
        if is_over { 0 } else { self.pause_floor(&meter.interval) }
    }

    /// Takes the new rate; what is owed at the old one stays owed, in calls, a pause stays a pause, and who waits keeps its place in
    /// line. Two changes at once are the caller's to prevent, and to [`wake`](Self::wake) those who wait.
    pub(crate) fn change_rate(&self, rate: Rate, now: Instant) {
        let old = self.meter.get();
        if old.rate == rate {
            return;
        }
        let mut line = lock(&self.line);
        let interval = Interval::of(rate);
        let is_paused = self.paused_until() > now;
        let floor = |interval: &Interval| if is_paused { self.pause_floor(interval) } else { interval.units_at(now) };
        let replaced =
            Replaced { units: old.interval.units.max(1), old_floor: floor(&old.interval), floor: floor(&interval), at: now };
        let new = Meter::new(rate, old.number + 1, Some(replaced));
        let kept = line.freed.drain().filter(|Reverse(at)| at.plus(SLACK) >= now);
        let carried = kept.map(|Reverse(at)| Reverse(new.carry_slot(old.paid_for(at)))).collect();
        line.freed = carried;
        self.publish(&line);
        let old_word = &old.paid_until;
        let goes_on = seeded!("bucket: an old word goes on");
        let paid = if goes_on { old_word.load(Ordering::Acquire) } else { old_word.swap(REPLACED, Ordering::AcqRel) };
        if (is_paused || paid > replaced.old_floor) && !seeded!("bucket: new rate owes nothing") {
            let paid = if is_paused { line.carry(paid, &old.interval, &new, now) } else { new.carry(paid) };
            new.paid_until.swap(paid, Ordering::Relaxed);
        }
        self.meter.replace(new);
    }

    /// After a change, when no lock is held: those who wait ask again, if the rate is another.
    pub(crate) fn wake(&self) {
        let rate = self.meter.version();
        if self.woken_for.swap(rate, Ordering::AcqRel) != rate {
            self.sleepers.wake_all();
        }
    }

    /// A wait for a token of the rate as it is now: to be asked for before the token is.
    pub(crate) fn nap<'b>(&'b self) -> impl FnOnce(Instant) -> Nap<'b> {
        let rate = self.meter.version();
        move |until| Nap { bucket: self, until, rate }
    }
}

/// Until when a word is paid with the one interval that is added, if that is within the burst.
#[inline]
fn take_units(paid_until: &AtomicU64, interval: &Interval, at: u64) -> Option<u64> {
    let Interval { units, slack, .. } = *interval;
    let limit = at + slack;
    let mut paid = paid_until.load(Ordering::Relaxed);
    loop {
        if paid > limit {
            return None;
        }
        let next = if seeded!("bucket: older time") { at } else { paid.max(at) } + units;
        if seeded!("bucket: plain store") {
            paid_until.swap(next, Ordering::Relaxed);
            return Some(next);
        }
        match paid_until.compare_exchange_weak(paid, next, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return Some(next),
            Err(actual) => paid = actual,
        }
    }
}

/// The same at a moment that is known already.
pub(crate) fn take(paid_until: &AtomicU64, interval: &Interval, now: Instant) -> Option<u64> {
    take_units(paid_until, interval, interval.units_at(now))
}

/// The same for a word that nobody else changes meanwhile.
#[inline]
pub(crate) fn pay(paid_until: &mut u64, interval: &Interval, now: Tick) -> bool {
    let Interval { units, slack, .. } = *interval;
    let at = interval.units_now(now);
    let is_there = *paid_until <= at + slack;
    if is_there {
        *paid_until = (*paid_until).max(at) + units;
    }
    is_there
}

/// A word's debt counted by other terms: the same number of calls.
pub(crate) fn carried(paid: u64, from: &Interval, to: &Interval, now: Instant) -> u64 {
    if from == to {
        return paid;
    }
    let owed = paid.saturating_sub(from.units_at(now));
    let owed = u128::from(owed) * u128::from(to.units) / u128::from(from.units.max(1));
    let base = if owed == 0 { 0 } else { to.units_at(now) };
    base.saturating_add(u64::try_from(owed).unwrap_or(u64::MAX)).min(REPLACED - 1)
}

/// Takes out the slots that are too early.
fn forget_until(freed: &mut BinaryHeap<Reverse<Instant>>, is_good: impl Fn(Instant) -> bool) {
    while freed.peek().is_some_and(|&Reverse(at)| !is_good(at)) {
        freed.pop();
    }
}

impl Line {
    /// What is paid inside a pause, by the new rate. What was owed without the pause stays owed, though a smaller burst leaves less to
    /// be paid by its end.
    fn carry(&mut self, paid: u64, old: &Interval, new: &Meter, now: Instant) -> u64 {
        let owed = paid.saturating_sub(self.pushed).saturating_sub(old.units_at(now));
        let owed = new.interval.units_at(now).saturating_add(new.calls(owed, old.units.max(1)));
        let carried = new.carry(paid).max(if seeded!("bucket: a pause forgives") { 0 } else { owed.min(REPLACED - 1) });
        self.pushed = carried.saturating_sub(owed);
        carried
    }
}

impl Meter {
    fn new(rate: Rate, number: u32, replaced: Option<Replaced>) -> Self {
        Self { interval: Interval::of(rate), rate, paid_until: AtomicU64::new(0), number, replaced }
    }

    /// What was paid until then by the rate before, by this one: the same number of calls.
    fn carry(&self, paid: u64) -> u64 {
        let Some(replaced) = &self.replaced else { return paid };
        let owed = self.calls(paid.saturating_sub(replaced.old_floor), replaced.units);
        replaced.floor.saturating_add(owed).min(REPLACED - 1)
    }

    /// As many calls as that was by a rate of so many units each.
    fn calls(&self, owed: u64, units: u64) -> u64 {
        u64::try_from(u128::from(owed) * u128::from(self.interval.units) / u128::from(units)).unwrap_or(u64::MAX)
    }

    /// When the slot is due by this rate that was paid until then by the one before.
    fn carry_slot(&self, paid: u64) -> Instant {
        self.slot_of(self.carry(paid))
    }

    fn slot_of(&self, paid: u64) -> Instant {
        let at = self.interval.instant_of(paid.saturating_sub(self.interval.tolerance));
        self.replaced.map_or(at, |replaced| at.max(replaced.at))
    }

    /// Until when somebody has paid who has that slot.
    fn paid_for(&self, at: Instant) -> u64 {
        self.interval.units_at(at).saturating_add(self.interval.tolerance)
    }

    /// Until when all is paid with so many more, and from when on they are good.
    #[inline]
    fn after_taking(&self, paid: u64, tokens: u64, now: Instant) -> (u64, Instant) {
        let Interval { units, tolerance, .. } = self.interval;
        let here = self.interval.units_at(now);
        let next = paid.max(here).saturating_add(tokens.saturating_mul(units));
        let conforms = next <= here.saturating_add(tolerance);
        if conforms {
            return (next, now);
        }
        let at = self.interval.instant_of(next.saturating_sub(tolerance));
        // Where its time stands still no other moment comes.
        (next, if at > now { at } else { Instant::NEVER })
    }

    fn take(&self, now: Instant) -> Option<u64> {
        take(&self.paid_until, &self.interval, now)
    }

    #[inline]
    fn take_now(&self, now: Tick) -> bool {
        take_units(&self.paid_until, &self.interval, self.interval.units_now(now)).is_some()
    }

    fn slack(&self) -> u64 {
        self.interval.nanos().saturating_add(SLACK)
    }
}

/// A wait for a token, over early when the rate changes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nap<'b> {
    bucket: &'b Bucket,
    pub(crate) until: Instant,
    rate: u32,
}

impl<'b> Nap<'b> {
    /// To be asked after [`sleep`](Self::sleep), so that no change is missed.
    pub(crate) fn is_disturbed(&self) -> bool {
        self.bucket.meter.version() != self.rate && !seeded!("bucket: lost wake-up")
    }

    pub(crate) fn sleep(&self, waker: Waker) -> Sleeper<'b> {
        Sleeper::new(&self.bucket.sleepers, waker)
    }
}

/// The right to start one call at a moment; dropped unspent, its slot is free again.
#[derive(Debug)]
pub(crate) struct Token<'b> {
    bucket: &'b Bucket,
    meter: &'b Meter,
    /// The word after it was taken; 0 if it is another's slot.
    paid: u64,
    pub(crate) at: Instant,
}

impl Token<'_> {
    #[inline]
    pub(crate) fn spend(self) {
        std::mem::forget(self);
    }

    /// The same place in line, by the rate as it is now.
    pub(crate) fn carried(self) -> Self {
        let carried = self.by_the_latest_rate();
        self.spend();
        carried
    }

    #[cold]
    fn by_the_latest_rate(&self) -> Self {
        let meters = &self.bucket.meter;
        let Self { bucket, mut meter, mut paid, at } = *self;
        let latest = meters.version();
        if meter.number == latest {
            return Self { bucket, meter, paid, at };
        }
        if paid == 0 {
            paid = meter.paid_for(at);
        }
        for number in meter.number + 1..=latest {
            meter = meters.of_version(number);
            paid = meter.carry(paid);
        }
        Self { bucket, meter, paid, at: meter.slot_of(paid) }
    }

    fn is_replaced(&self) -> bool {
        self.meter.paid_until.load(Ordering::Relaxed) == REPLACED
    }

    /// Too late to be used without breaking the rate, inside a pause that came after it was taken, or of a rate that is no more.
    pub(crate) fn is_stale(&self, now: Instant) -> bool {
        self.is_replaced() || now > self.at.plus(self.meter.slack()) || now < self.bucket.paused_until()
    }
}

impl Drop for Token<'_> {
    #[cold]
    fn drop(&mut self) {
        let mut line = lock(&self.bucket.line);
        let pause_floor = self.bucket.floor_of(self.meter);
        let before = self.paid.saturating_sub(self.meter.interval.units).max(self.paid.min(pause_floor));
        let words = (Ordering::Relaxed, Ordering::Relaxed);
        if seeded!("bucket: used slot given back") {
            self.meter.paid_until.swap(before, Ordering::Relaxed);
            return;
        }
        if self.paid != 0
            && self.meter.paid_until.compare_exchange(self.paid, before, words.0, words.1).is_ok()
            && !seeded!("bucket: given back twice")
        {
            return;
        }
        if line.freed.len() < FREED_SLOTS {
            let carried = self.by_the_latest_rate();
            line.freed.push(Reverse(carried.at));
            carried.spend();
        }
        self.bucket.publish(&line);
    }
}

#[cfg(test)]
mod tests;
