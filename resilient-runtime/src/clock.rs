//! The one place where time is read and waited for.
//!
//! Readings are nanoseconds on one process clock. A raw time-stamp counter may step back between cores, so no reading is trusted
//! to be later than another: differences saturate, and whoever keeps a moment (a bucket, a breaker, a call) keeps the latest.

#![deny(clippy::arithmetic_side_effects)]

#[cfg(feature = "testing")]
use crate::wishes;
use std::time::Duration;

/// A moment of the process clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(u64);

impl Instant {
    pub(crate) const NEVER: Self = Self(u64::MAX);

    pub(crate) const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    pub(crate) const fn as_nanos(self) -> u64 {
        self.0
    }

    pub(crate) const fn plus(self, nanos: u64) -> Self {
        Self(self.0.saturating_add(nanos))
    }

    /// When a wait of that length is over: never if it is unlimited, and otherwise by the last moment there is.
    pub(crate) const fn after(self, nanos: u64) -> Self {
        match self.0.checked_add(nanos) {
            Some(later) if later != u64::MAX => Self(later),
            _ if nanos == u64::MAX => Self::NEVER,
            _ => Self(u64::MAX - 1),
        }
    }

    pub(crate) const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A moment as the clock itself counts it, which nobody has had to turn into nanoseconds yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tick(u64);

impl Tick {
    /// Where nobody has looked.
    pub(crate) const UNREAD: Self = Self(u64::MAX);

    #[cfg(all(test, feature = "testing"))]
    pub(crate) const fn of(count: u64) -> Self {
        Self(count)
    }

    #[inline]
    pub(crate) const fn count(self) -> u64 {
        self.0
    }
}

/// Whole nanoseconds of a duration; what does not fit (584 years) counts as unlimited.
pub(crate) const fn nanos(duration: Duration) -> u64 {
    let nanos = duration.as_nanos();
    if nanos > u64::MAX as u128 {
        return u64::MAX;
    }
    #[expect(clippy::cast_possible_truncation, reason = "compared with u64::MAX above; `try_from` is not const")]
    let nanos = nanos as u64;
    nanos
}

#[cfg(not(feature = "testing"))]
#[inline]
pub(crate) fn now() -> Instant {
    fast::now()
}

#[cfg(feature = "testing")]
#[inline]
pub(crate) fn now() -> Instant {
    wishes::glance().unwrap_or_else(look_closer)
}

#[cfg(feature = "testing")]
#[cold]
fn look_closer() -> Instant {
    wishes::turned_time().unwrap_or_else(unturned::now)
}

#[cfg(feature = "testing")]
#[cold]
fn glance_closer() -> Option<Tick> {
    (!wishes::is_scripted()).then(tick)
}

/// The clock, for who has found it once and need not look whether it is there.
#[cfg(feature = "testing")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Face;

#[cfg(feature = "testing")]
impl Face {
    pub(crate) fn find() -> Self {
        Self
    }

    /// The time, unless a script wants to be asked first.
    #[inline]
    #[expect(clippy::unused_self, reason = "tests have many clocks")]
    pub(crate) fn glance(self) -> Option<Tick> {
        wishes::glance().map(|now| Tick(now.as_nanos())).or_else(glance_closer)
    }
}

#[cfg(not(feature = "testing"))]
pub(crate) use fast::Face;

/// The time as the clock counts it.
#[cfg(feature = "testing")]
pub(crate) fn tick() -> Tick {
    Tick(now().as_nanos())
}

#[cfg(not(feature = "testing"))]
pub(crate) use fast::tick;

#[cfg(feature = "testing")]
pub(crate) fn nanos_of_ticks(ticks: u64) -> u64 {
    ticks
}

#[cfg(not(feature = "testing"))]
pub(crate) use fast::nanos_of_ticks;

impl From<Tick> for Instant {
    #[cold]
    fn from(Tick(ticks): Tick) -> Self {
        if ticks == Tick::UNREAD.0 { Self::NEVER } else { Self(nanos_of_ticks(ticks)) }
    }
}

/// Blocks this thread until `until`, or turns a hand-turned clock there; answers when it is now.
#[expect(clippy::disallowed_methods, reason = "the one place where a thread sleeps")]
pub(crate) fn sleep_blocking(until: Instant) -> Instant {
    loop {
        let now = now();
        let left = until.since(now);
        if left == 0 {
            return now;
        }
        #[cfg(feature = "testing")]
        if wishes::turn(left) {
            return until;
        }
        std::thread::sleep(Duration::from_nanos(left));
    }
}

#[cfg(any(not(feature = "testing"), not(feature = "tokio")))]
mod fast {
    use super::Instant;
    #[cfg(not(feature = "testing"))]
    use super::Tick;
    use std::sync::LazyLock;

    /// So many ticks before its first reading our clock begins, as another core may be behind that.
    const EARLIER: u64 = 1 << 40;

    struct Counter {
        clock: quanta::Clock,
        start: u64,
    }

    static COUNTER: LazyLock<Counter> = LazyLock::new(|| {
        let clock = quanta::Clock::new();
        let start = beginning(clock.raw());
        Counter { clock, start }
    });

    /// A machine that has just started has counted less than that.
    fn beginning(first: u64) -> u64 {
        first.saturating_sub(EARLIER)
    }

    /// A counter that begins anew, after a sleep of the machine say, is behind our beginning: time stands still until it is there.
    #[inline]
    fn ticks_since(start: u64, raw: u64) -> u64 {
        raw.saturating_sub(start)
    }

    /// The clock, for who has found it once and need not look whether it is there.
    #[cfg(not(feature = "testing"))]
    #[derive(Clone, Copy)]
    pub(crate) struct Face(&'static Counter);

    #[cfg(not(feature = "testing"))]
    impl Face {
        pub(crate) fn find() -> Self {
            Self(&COUNTER)
        }

        /// The time, unless a script wants to be asked first.
        #[inline]
        #[expect(clippy::unnecessary_wraps, reason = "only tests have scripts")]
        pub(crate) fn glance(self) -> Option<Tick> {
            Some(self.tick())
        }

        #[inline]
        fn tick(self) -> Tick {
            let Counter { clock, start } = self.0;
            Tick(ticks_since(*start, clock.raw()))
        }
    }

    #[cfg(not(feature = "testing"))]
    impl std::fmt::Debug for Face {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("Face")
        }
    }

    #[cfg(not(feature = "testing"))]
    pub(crate) fn tick() -> Tick {
        Face::find().tick()
    }

    pub(super) fn now() -> Instant {
        let Counter { clock, start } = &*COUNTER;
        Instant(clock.delta_as_nanos(0, ticks_since(*start, clock.raw())))
    }

    #[cfg(not(feature = "testing"))]
    pub(crate) fn nanos_of_ticks(ticks: u64) -> u64 {
        COUNTER.clock.delta_as_nanos(0, ticks)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        /// It stood still for ever where the counter was read for the first time within minutes of the machine's start.
        #[test]
        fn time_passes_on_a_machine_that_has_just_started() {
            for first in [0, 1, EARLIER - 1, EARLIER, u64::MAX - 1_000] {
                let start = beginning(first);
                let passed = |raw| ticks_since(start, raw) - ticks_since(start, first);
                assert_eq!([passed(first), passed(first + 1), passed(first + 1_000)], [0, 1, 1_000], "{first}");
            }
        }

        #[test]
        fn a_core_that_is_behind_the_first_reading_has_a_moment_before_it() {
            let start = beginning(1 << 50);
            let moments = [(1 << 50) - 1_000_000_000, (1 << 50) - 1, 1 << 50].map(|raw| ticks_since(start, raw));
            assert!(moments[0] > 0 && moments.is_sorted_by(|earlier, later| earlier < later), "{moments:?}");
        }

        #[test]
        #[cfg(not(feature = "testing"))]
        fn its_face_shows_no_addresses() {
            assert_eq!(format!("{:?}", Face::find()), "Face");
        }

        #[test]
        fn a_counter_that_begins_anew_stops_time_and_is_not_far_ahead() {
            let start = beginning(1 << 50);
            assert_eq!([0, 1, start].map(|raw| ticks_since(start, raw)), [0; 3]);
            assert_eq!(ticks_since(start, start + 1), 1);
        }
    }
}

#[cfg(all(feature = "testing", not(feature = "tokio")))]
use fast as unturned;

/// Tokio's own clock, so that `start_paused` and `tokio::time::advance` turn ours too.
#[cfg(all(feature = "testing", feature = "tokio"))]
mod unturned {
    use super::{Instant, nanos};
    use std::sync::LazyLock;
    use tokio::runtime::Handle;

    /// A paused runtime may have stopped its clock before the anchor was first read, so the anchor stands well after zero.
    const ANCHOR: u64 = 1 << 50;

    static ANCHORED: LazyLock<tokio::time::Instant> = LazyLock::new(tokio_now);

    /// Tokio has no clock for a thread whose last values are being dropped, and panics.
    #[expect(clippy::disallowed_methods, reason = "the one place where tokio's clock is read")]
    fn tokio_now() -> tokio::time::Instant {
        match Handle::try_current() {
            Err(error) if error.is_thread_local_destroyed() => std::time::Instant::now().into(),
            _ => tokio::time::Instant::now(),
        }
    }

    #[cold]
    pub(super) fn now() -> Instant {
        let now = tokio_now();
        let anchor = *ANCHORED;
        match now.checked_duration_since(anchor) {
            Some(after) => Instant(ANCHOR.saturating_add(nanos(after))),
            None => Instant(ANCHOR.saturating_sub(nanos(anchor.duration_since(now)))),
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_first_reading_is_far_from_zero() {
            assert!(now() > Instant(1 << 49));
        }
    }
}

/// A timer that reads our clock to decide, so that it fires neither early (timers round) nor never (a body that uses up tokio's
/// cooperative budget starves the timer's own poll).
#[cfg(feature = "tokio")]
pub(crate) use timer::{Alarm, Limit};

#[cfg(feature = "tokio")]
mod timer {
    use super::{Instant, now};
    use pin_project_lite::pin_project;
    use std::future::Future;
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use std::time::Duration;
    use tokio::time::{Sleep, sleep};

    pin_project! {
        #[derive(Debug)]
        pub(crate) struct Limit {
            ends: Instant,
            is_armed: bool,
            #[pin]
            sleep: Sleep,
        }
    }

    impl Limit {
        pub(crate) fn new(ends: Instant, now: Instant) -> Self {
            Self { ends, is_armed: false, sleep: sleep(Duration::from_nanos(ends.since(now))) }
        }

        pub(crate) fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
            let mut limit = self.project();
            loop {
                if limit.sleep.as_mut().poll(context).is_pending() {
                    let is_starved = std::mem::replace(limit.is_armed, true) && *limit.ends <= now();
                    return if is_starved { Poll::Ready(()) } else { Poll::Pending };
                }
                let left = limit.ends.since(now());
                if left == 0 {
                    return Poll::Ready(());
                }
                limit.sleep.set(sleep(Duration::from_nanos(left)));
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use std::task::Waker;

        #[tokio::test(start_paused = true)]
        async fn what_has_ended_before_anybody_looks_ends_at_the_first_look() {
            let mut ended = std::pin::pin!(Limit::new(now(), now()));
            tokio::time::advance(Duration::from_millis(5)).await;
            assert!(ended.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
        }
    }

    /// One that is armed on its first pending poll.
    #[derive(Debug, Default)]
    pub(crate) struct Alarm(Option<Pin<Box<Limit>>>);

    impl Alarm {
        pub(crate) fn poll(&mut self, until: Instant, context: &mut Context<'_>) -> Poll<()> {
            let now = now();
            if until <= now {
                return Poll::Ready(());
            }
            self.0.get_or_insert_with(|| Box::pin(Limit::new(until, now))).as_mut().poll(context)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_stay_on_the_clock() {
        let (first, last) = (Instant::from_nanos(0), Instant::NEVER);
        assert_eq!([first.plus(u64::MAX), last.plus(0), last.plus(1), last.plus(u64::MAX)], [last; 4]);
        assert_eq!([first.since(last), first.since(first), last.since(first)], [0, 0, u64::MAX]);
    }

    #[test]
    fn a_wait_that_has_an_end_ends_on_the_clock() {
        let second_last = Instant::from_nanos(u64::MAX - 1);
        assert_eq!([0, 7].map(|now| Instant::from_nanos(now).after(u64::MAX)), [Instant::NEVER; 2]);
        assert_eq!(Instant::from_nanos(7).after(3), Instant::from_nanos(10));
        assert_eq!([0, 1, 2, u64::MAX - 1].map(|wait| second_last.after(wait)), [second_last; 4]);
    }

    #[test]
    fn what_is_longer_than_the_clock_runs_is_unlimited() {
        let longest = Duration::from_nanos(u64::MAX);
        assert_eq!(nanos(longest.saturating_sub(Duration::from_nanos(1))), u64::MAX - 1);
        let longer = longest.saturating_add(Duration::from_nanos(1));
        assert_eq!([longest, longer, Duration::MAX].map(nanos), [u64::MAX; 3]);
    }
}
