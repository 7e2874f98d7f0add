//! Rates as text: `100/s`, `30/min`, `0.5/h`, `1/day`, `7/90s`.

use super::{Rate, YEAR};
use crate::clock::nanos;
use crate::duration_text;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

const SECOND: u64 = 1_000_000_000;
/// The first of equal ones is how it is shown.
const UNITS: [(&str, u64); 6] = [
    ("s", SECOND),
    ("min", 60 * SECOND),
    ("m", 60 * SECOND),
    ("h", 3_600 * SECOND),
    ("day", 86_400 * SECOND),
    ("d", 86_400 * SECOND),
];

/// Why a text is no [`Rate`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseRateError(String);

impl fmt::Display for ParseRateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for ParseRateError {}

impl FromStr for Rate {
    type Err = ParseRateError;

    /// Reads what the attribute reads, `"100/s"`, `"30/min"`, `"5000/h"`, `"1/day"`, a number per second, and calls per any time: `"7/90s"`.
    ///
    /// ```
    /// # use resilient_runtime as resilient;
    /// use resilient::Rate;
    ///
    /// assert_eq!("30/min".parse(), Ok(Rate::per_minute(30)));
    /// assert!("30/fortnight".parse::<Rate>().is_err());
    /// ```
    fn from_str(text: &str) -> Result<Self, ParseRateError> {
        let (count, unit) = text.split_once('/').unwrap_or((text, "s"));
        let period = period(unit.trim()).ok_or_else(|| {
            let units = "the units are `s`, `min`, `h`, `day`, or a time such as `90s`";
            ParseRateError(format!("{text:?} is not a rate such as \"100/s\": {units}"))
        })?;
        let (count, scale) = decimal(count.trim()).ok_or_else(|| {
            ParseRateError(format!("{text:?} is not a rate such as \"100/s\": `{}` is not a number", count.trim()))
        })?;
        let too_long = || {
            let is_slow = count.saturating_mul(u128::from(YEAR)) < u128::from(period).saturating_mul(scale);
            let problem = if is_slow { "is too slow: at least one call in 365 days" } else { "has too many digits for a rate" };
            ParseRateError(format!("{text:?} {problem}"))
        };
        let (count, period) = whole_calls(count, period, scale).ok_or_else(too_long)?;
        let rate = Self { count, period, burst: None, max_keys: None };
        rate.problem().map_or(Ok(rate), |problem| Err(ParseRateError(format!("{text:?}: {problem}"))))
    }
}

impl Rate {
    /// As one would write it; a burst is a setting of its own.
    pub(crate) fn text(&self) -> String {
        let unit = UNITS.iter().find(|(_, period)| *period == self.period);
        let time = || duration_text::show(Duration::from_nanos(self.period));
        format!("{}/{}", self.count, unit.map_or_else(time, |(unit, _)| (*unit).to_owned()))
    }
}

fn period(unit: &str) -> Option<u64> {
    let known = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, period)| *period);
    known.or_else(|| duration_text::parse(unit).ok().map(nanos))
}

/// A number without its point, and what it was multiplied with.
fn decimal(text: &str) -> Option<(u128, u128)> {
    let digits = text.replace('_', "");
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let fraction = fraction.trim_end_matches('0');
    if whole.is_empty() || !whole.chars().chain(fraction.chars()).all(|c| c.is_ascii_digit()) {
        return None;
    }
    let count = format!("{whole}{fraction}").parse::<u128>().ok()?;
    let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let shared = shared_factor(count, scale);
    Some((count / shared, scale / shared))
}

/// Calls, and in how many nanoseconds, where both fit.
fn whole_calls(count: u128, period: u64, scale: u128) -> Option<(u64, u64)> {
    let period = u128::from(period).checked_mul(scale)?;
    Some((u64::try_from(count).ok()?, u64::try_from(period).ok()?))
}

fn shared_factor(left: u128, right: u128) -> u128 {
    if right == 0 { left.max(1) } else { shared_factor(right, left % right) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(text: &str) -> String {
        text.parse::<Rate>().map_or_else(|error| error.to_string(), |rate| rate.text())
    }

    #[test]
    fn rates_read_and_show_the_same() {
        for text in ["100/s", "30/min", "5000/h", "1/day", "7/1m30s", "1000000000/s"] {
            assert_eq!(rate(text), text);
        }
        assert_eq!(rate("10"), "10/s");
        assert_eq!(rate(" 1_000 / m "), "1000/min");
        assert_eq!(rate("0.5/s"), "1/2s");
        assert_eq!(rate("2.50/s"), "5/2s");
        assert_eq!(rate("3.0/d"), "3/day");
        assert_eq!(rate("2.015625/day"), "129/64d");
        assert_eq!(rate("0.500000000931322574615478515625/s"), "536870913/12427d13h37m4s");
    }

    #[test]
    fn each_unit_is_as_long_as_its_name_says() {
        let rates = [("2/s", Rate::per_second(2)), ("2/min", Rate::per_minute(2)), ("2/m", Rate::per_minute(2))];
        for (text, rate) in
            rates.into_iter().chain([("2/h", Rate::per_hour(2)), ("2/day", Rate::per_day(2)), ("2/d", Rate::per_day(2))])
        {
            assert_eq!(text.parse(), Ok(rate), "{text}");
        }
    }

    #[test]
    fn the_slowest_rate_may_be_written_in_any_way() {
        for text in ["1/365d", "0.2/73d", "0.5/4380h", "2/730d"] {
            let rate: Rate = text.parse().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(rate.problem(), None);
        }
    }

    #[test]
    fn mistakes_say_what_was_expected() {
        assert!(rate("many/s").contains("`many` is not a number"));
        assert!(rate("").contains("`` is not a number"));
        assert!(rate("1.2.3/s").contains("is not a number"));
        assert!(rate(".5/s").contains("`.5` is not a number"));
        assert!(rate("-1/s").contains("is not a number"));
        assert!(rate("1/fortnight").contains("the units are"));
        assert!(rate("0/s").contains("greater than zero"));
        assert!(rate("1000000001/s").contains("at most 1000000000"));
        assert!(rate("1/0s").contains("greater than zero"));
        assert!(rate("0.0001/day").contains("365 days"));
        assert!(rate("0.0000000000000000001/day").contains("365 days"));
        assert!(rate("99999999999999999999/s").contains("too many digits"));
        assert!(rate("0.123456789123456789123/s").contains("too many digits"));
    }
}
