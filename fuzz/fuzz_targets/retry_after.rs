//! `Retry-After` and `Date`, as any bytes and as dates that we made: what is read is what was meant, and a call waits for it and no longer,
//! or ends where it is asked to wait too long.
#![no_main]

use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use resilient::testing::TurnedClock;
use resilient::{Classify as _, Policy, StatusError};
use std::cell::{Cell, LazyCell};
use std::io;
use std::time::{Duration, SystemTime};

const LONGEST: Duration = Duration::from_secs(3_600);
/// The longest first wait without a hint.
const OWN: Duration = Duration::from_millis(100);
/// The last second of the year 9999.
const END: u64 = 253_402_300_799;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut lines = bytes.splitn(2, |&byte| byte == b'\n');
    let (value, date) = (lines.next().unwrap_or_default(), lines.next());
    if let Some(headers) = headers(value, date) {
        any(&headers, value.trim_ascii(), date.map(<[u8]>::trim_ascii));
    }
    if let Some((numbers, _)) = bytes.split_first_chunk::<16>() {
        let (until, now) = numbers.split_at(8);
        dates(number(until), number(now));
    }
});

fn headers(value: &[u8], date: Option<&[u8]>) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(RETRY_AFTER, HeaderValue::from_bytes(value).ok()?);
    if let Some(date) = date {
        headers.insert(DATE, HeaderValue::from_bytes(date).ok()?);
    }
    Some(headers)
}

fn any(headers: &HeaderMap, value: &[u8], date: Option<&[u8]>) {
    let hint = resilient::retry_after(headers);
    let is_number = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    if is_number {
        let seconds = value.iter().fold(0_u64, |number, digit| number.saturating_mul(10).saturating_add(u64::from(digit - b'0')));
        assert_eq!(hint, Some(Duration::from_secs(seconds)));
    } else if let Some(hint) = hint {
        assert!(value.len() >= 24, "this is no date: {value:?}");
        assert!(hint <= Duration::from_secs(END), "there is no such date: {hint:?}");
        assert!(Some(value) != date || hint.is_zero(), "no time is between a date and itself, but {hint:?}");
    }
    waits(headers, hint);
}

/// What a call does with the header.
fn waits(headers: &HeaderMap, hint: Option<Duration>) {
    thread_local! {
        static POLICY: LazyCell<Policy> = LazyCell::new(|| {
            Policy::builder().name("hinted").retries(1).max_retry_after(LONGEST).without_budget().build().expect("valid")
        });
    }
    let error = StatusError::from_parts(StatusCode::SERVICE_UNAVAILABLE, headers).expect("a failure");
    let attempts = Cell::new(0);
    let body = || {
        attempts.set(attempts.get() + 1);
        Err::<(), _>(io::Error::other(error))
    };
    let waited = turned(|| assert!(POLICY.with(|policy| policy.run_with(body, |_| error.classify())).is_err()));
    // It was read after the other, and the clock may have gone on.
    assert!(error.retry_after().is_some() == hint.is_some() && error.retry_after() <= hint);
    let hint = error.retry_after().unwrap_or_default();
    if hint > LONGEST {
        assert_eq!((attempts.get(), waited), (1, Duration::ZERO), "{hint:?} is too long");
        return;
    }
    let at_least = hint.max(OWN);
    assert_eq!(attempts.get(), 2, "{hint:?}");
    assert!(waited >= hint && waited <= (at_least + at_least / 10).min(LONGEST), "{waited:?} for {hint:?}");
}

/// How long the code waits; a clock is never freed, so one is turned by many.
fn turned(code: impl FnOnce()) -> Duration {
    thread_local! {
        static CLOCK: Cell<Option<(u32, TurnedClock)>> = const { Cell::new(None) };
    }
    let (uses, clock) = CLOCK.take().filter(|(uses, _)| *uses < 10_000).unwrap_or_else(|| (0, TurnedClock::start()));
    let before = clock.elapsed();
    code();
    let waited = clock.elapsed() - before;
    CLOCK.set(Some((uses + 1, clock)));
    waited
}

/// Two moments, in each of the three forms.
fn dates(until: u64, now: u64) {
    let forms: [(fn(u64) -> String, u64); 3] = [(internet, END), (obsolete, 3_155_759_999), (c_library, END)];
    for (written, end) in forms {
        let (until, now) = (until % (end + 1), now % (END + 1));
        let (value, date) = (written(until), internet(now));
        let Some(headers) = headers(value.as_bytes(), Some(date.as_bytes())) else { panic!("{value:?}, {date:?}") };
        let meant = Duration::from_secs(until.saturating_sub(now));
        assert_eq!(resilient::retry_after(&headers), Some(meant), "{value:?} at {date:?}");
        waits(&headers, Some(meant));
        undated(&value, until);
    }
}

/// Without a `Date` our own clock counts, which goes on meanwhile.
fn undated(value: &str, until: u64) {
    let Some(headers) = headers(value.as_bytes(), None) else { panic!("{value:?}") };
    let until = SystemTime::UNIX_EPOCH + Duration::from_secs(until);
    let left = || until.duration_since(SystemTime::now()).unwrap_or_default();
    let most = left();
    let hint = resilient::retry_after(&headers);
    assert!(hint.is_some_and(|hint| hint <= most && hint >= left()), "{value:?}: {hint:?}");
}

const DAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `Sun, 06 Nov 1994 08:49:37 GMT`
fn internet(moment: u64) -> String {
    let (weekday, day, month, year, time) = civil(moment);
    format!("{}, {day:02} {month} {year:04} {time} GMT", &weekday[..3])
}

/// `Sunday, 06-Nov-94 08:49:37 GMT`
fn obsolete(moment: u64) -> String {
    let (weekday, day, month, year, time) = civil(moment);
    format!("{weekday}, {day:02}-{month}-{:02} {time} GMT", year % 100)
}

/// `Sun Nov  6 08:49:37 1994`
fn c_library(moment: u64) -> String {
    let (weekday, day, month, year, time) = civil(moment);
    format!("{} {month} {day:2} {time} {year:04}", &weekday[..3])
}

/// Counted year by year and month by month from 1970, four hundred years being always as long.
fn civil(moment: u64) -> (&'static str, u64, &'static str, u64, String) {
    let (days, rest) = (moment / 86_400, moment % 86_400);
    let time = format!("{:02}:{:02}:{:02}", rest / 3_600, rest / 60 % 60, rest % 60);
    let (mut year, mut day) = (1970 + days / 146_097 * 400, days % 146_097);
    let length = |year: u64| if is_leap(year) { 366 } else { 365 };
    while day >= length(year) {
        day -= length(year);
        year += 1;
    }
    let lengths = [31, if is_leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while day >= lengths[month] {
        day -= lengths[month];
        month += 1;
    }
    let weekday = DAYS[usize::try_from(days % 7).unwrap_or_default()];
    (weekday, day + 1, MONTHS[month], year, time)
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
