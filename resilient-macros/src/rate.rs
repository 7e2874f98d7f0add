//! `10`, `0.5`, `100/s`, `30/min`, `5000/h`, `1/day`.

use std::time::Duration;

use crate::duration::unit_meant;
use crate::spelling::list;

const UNITS: &[(&str, u64)] = &[("s", 1), ("min", 60), ("m", 60), ("h", 3_600), ("day", 86_400), ("d", 86_400)];
const NANOS_PER_SECOND: u128 = 1_000_000_000;
const LONGEST_INTERVAL: u128 = 365 * 86_400 * NANOS_PER_SECOND;

/// So many calls in such a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rate {
    pub(crate) count: u64,
    pub(crate) period: Duration,
}

/// Reads a number of calls `/` a unit.
pub(crate) fn parse(text: &str) -> Result<Rate, String> {
    let Some((number, unit)) = text.split_once('/') else {
        return Err(format!("`{text}` is not a rate; write a number per second, or text such as `\"100/s\"`"));
    };
    let (number, unit) = (number.trim(), unit.trim());
    let Some((_, seconds)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        return Err(unknown_unit(text, unit));
    };
    per(number, *seconds)
}

/// A decimal number of calls in so many seconds, as whole calls in a longer time where it has a fraction.
pub(crate) fn per(number: &str, seconds: u64) -> Result<Rate, String> {
    let (count, scale) =
        decimal(number).ok_or_else(|| format!("`{number}` is not a number of calls; write it out, such as `100` or `0.5`"))?;
    let too_long = || format!("`{number}` has too many digits for a rate");
    let period = scale.checked_mul(u128::from(seconds) * NANOS_PER_SECOND).ok_or_else(too_long)?;
    bounds(count, period)?;
    whole_calls(count, period).ok_or_else(too_long)
}

/// A number without its point, and what it was multiplied with.
fn decimal(text: &str) -> Option<(u128, u128)> {
    let digits = text.replace('_', "");
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let fraction = fraction.trim_end_matches('0');
    let is_number = !whole.is_empty() && whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    let count = format!("{whole}{fraction}").parse::<u128>().ok().filter(|_| is_number)?;
    let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let divisor = greatest_common_divisor(count, scale);
    Some((count / divisor, scale / divisor))
}

fn bounds(count: u128, period: u128) -> Result<(), String> {
    if count == 0 {
        return Err("a rate of zero never lets a call through; leave `rate` out, or give at least one call per 365 days".into());
    }
    if count > period {
        return Err("this rate is too fast: at most 1,000,000,000 calls per second".into());
    }
    if count.saturating_mul(LONGEST_INTERVAL) < period {
        return Err("this rate is too slow: at least one call per 365 days".into());
    }
    Ok(())
}

fn whole_calls(count: u128, period: u128) -> Option<Rate> {
    let period = Duration::from_nanos(u64::try_from(period).ok()?);
    Some(Rate { count: u64::try_from(count).ok()?, period })
}

fn greatest_common_divisor(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

fn unknown_unit(text: &str, unit: &str) -> String {
    match unit_meant(unit, UNITS) {
        Some(meant) => format!("unknown unit `{unit}` in the rate `{text}`; did you mean `/{meant}`?"),
        None => format!("unknown unit `{unit}` in the rate `{text}`; the units are {}", list(["s", "min", "h", "day"])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(text: &str) -> (u64, u64) {
        let rate = parse(text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(rate.period.subsec_nanos(), 0);
        (rate.count, rate.period.as_secs())
    }

    fn mistake(text: &str) -> String {
        parse(text).map_or_else(|error| error, |rate| panic!("{rate:?}"))
    }

    #[test]
    fn every_unit() {
        assert_eq!(rate("100/s"), (100, 1));
        assert_eq!(rate("30/min"), (30, 60));
        assert_eq!(rate("5000 / h"), (5000, 3600));
        assert_eq!(rate("1/day"), (1, 86_400));
    }

    #[test]
    fn fractions_become_whole_calls_in_a_longer_time() {
        assert_eq!(rate("0.5/s"), (1, 2));
        assert_eq!(rate("2.5/s"), (5, 2));
        assert_eq!(rate("1.0/min"), (1, 60));
        assert_eq!(rate("0.25/h"), (1, 14_400));
    }

    #[test]
    fn limits() {
        assert_eq!(rate("1_000_000_000/s"), (1_000_000_000, 1));
        assert!(mistake("1000000001/s").contains("too fast"));
        assert!(mistake("0/s").contains("zero"));
        assert!(mistake("0.002/day").contains("too slow"));
        assert_eq!(rate("0.003/day"), (3, 86_400_000));
    }

    #[test]
    fn a_number_has_no_sign() {
        assert!(mistake("+1/s").contains("not a number"));
        assert!(mistake("+.5/s").contains("not a number"));
        assert!(mistake("_+5/min").contains("not a number"));
    }

    #[test]
    fn digits_behind_the_point_that_a_longer_time_makes_whole() {
        assert_eq!(rate("2.015625/day"), (129, 64 * 86_400));
        assert_eq!(rate(&format!("3.{}/s", "0".repeat(60))), (3, 1));
        assert_eq!(rate("0.500000000931322574615478515625/s"), (536_870_913, 1 << 30));
        assert!(mistake("0.123456789123456789123/s").contains("too many digits"));
    }

    #[test]
    fn mistakes_say_what_was_meant() {
        assert!(mistake("100").contains("`\"100/s\"`"));
        assert!(mistake("100/sec").contains("did you mean `/s`?"));
        assert!(mistake("100/minute").contains("did you mean `/m`?"));
        assert!(mistake("100/fortnight").contains("the units are"));
        assert!(mistake("many/s").contains("not a number"));
        assert!(mistake("1e3/s").contains("not a number"));
    }
}
