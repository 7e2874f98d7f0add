//! `250ms`, `2s`, `1m30s`, `1.5s`.

use std::time::Duration;

use crate::spelling::nearest;

const UNITS: &[(&str, u64)] = &[
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("min", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("ns", 1),
];

const LONG_UNITS: &[(&str, &str)] = &[
    ("day", "d"),
    ("hour", "h"),
    ("hr", "h"),
    ("minute", "m"),
    ("mins", "m"),
    ("second", "s"),
    ("sec", "s"),
    ("millisecond", "ms"),
    ("milli", "ms"),
    ("millis", "ms"),
    ("msec", "ms"),
    ("microsecond", "us"),
    ("micro", "us"),
    ("micros", "us"),
    ("usec", "us"),
    ("nanosecond", "ns"),
    ("nano", "ns"),
    ("nanos", "ns"),
    ("nsec", "ns"),
];

/// Reads parts such as `1m` and `30s`, from large units to small ones, and adds them up.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let (mut rest, mut total, mut previous) = (text.trim(), 0_u128, u64::MAX);
    if rest.is_empty() {
        return Err("this duration is empty; write for example `\"250ms\"`".into());
    }
    while !rest.is_empty() {
        let (number, behind) = split(rest, |c| c.is_ascii_digit() || c == '.' || c == '_');
        let (unit, behind) = split(behind.trim_start(), |c| !(c.is_ascii_digit() || c.is_whitespace()));
        let nanos = unit_nanos(unit, number, text)?;
        if nanos >= previous {
            return Err(format!("the units of `{text}` must go from large to small, each once, as in `\"1m30s\"`"));
        }
        total = total.saturating_add(scaled(number, nanos, text)?);
        (rest, previous) = (behind.trim_start(), nanos);
    }
    let total = u64::try_from(total).map_err(|_| format!("`{text}` is too long: at most 584 years"))?;
    Ok(Duration::from_nanos(total))
}

/// As it is written in code: `90s` rather than `1m30s`, and never with a fraction.
pub(crate) fn show(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let whole = |(_, unit): &&(&str, u64)| nanos.is_multiple_of(u128::from(*unit)) && nanos >= u128::from(*unit);
    let (name, unit) = UNITS.iter().skip(2).find(whole).unwrap_or(&("s", 1));
    format!("{}{name}", nanos / u128::from(*unit))
}

/// The unit that a misspelt or long one stands for.
pub(crate) fn unit_meant<'a>(unit: &str, units: &[(&'a str, u64)]) -> Option<&'a str> {
    let lower = unit.to_lowercase();
    let singular = lower.strip_suffix('s').unwrap_or(&lower);
    let long = LONG_UNITS.iter().find(|(long, _)| *long == lower || *long == singular);
    let names = units.iter().map(|(name, _)| *name);
    let short = long.and_then(|(_, short)| names.clone().find(|name| name == short));
    short.or_else(|| nearest(&lower, names))
}

fn unit_nanos(unit: &str, number: &str, text: &str) -> Result<u64, String> {
    if let Some((_, nanos)) = UNITS.iter().find(|(name, _)| *name == unit) {
        return Ok(*nanos);
    }
    if unit.is_empty() {
        return Err(format!("`{text}` has no unit; did you mean `\"{number}s\"` or `\"{number}ms\"`?"));
    }
    if unit.starts_with('-') {
        return Err(format!("`{text}` is negative; a duration is not"));
    }
    let meant = unit_meant(unit, UNITS);
    let advice = meant.map_or("the units are ns, us, ms, s, m, h and d".into(), |unit| format!("did you mean `{unit}`?"));
    Err(format!("unknown unit `{unit}` in the duration `{text}`; {advice}"))
}

/// `number` times `unit`, exactly.
fn scaled(number: &str, unit: u64, text: &str) -> Result<u128, String> {
    let unreadable = || format!("`{text}` is not a duration; write for example `\"250ms\"` or `\"1m30s\"`");
    let number = number.replace('_', "");
    let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
    if fraction.contains('.') || number.ends_with('.') || whole.is_empty() {
        return Err(unreadable());
    }
    let ten_power = 10_u128.checked_pow(u32::try_from(fraction.len()).unwrap_or(u32::MAX));
    let digits = format!("{whole}{fraction}").parse::<u128>().ok();
    let product = digits.and_then(|digits| digits.checked_mul(u128::from(unit)));
    let (Some(product), Some(ten_power)) = (product, ten_power) else {
        return Err(format!("`{text}` is too long: at most 584 years"));
    };
    if product % ten_power != 0 {
        return Err(format!("`{text}` is finer than a nanosecond"));
    }
    Ok(product / ten_power)
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nanos(text: &str) -> u128 {
        parse(text).map_or_else(|error| panic!("{error}"), |duration| duration.as_nanos())
    }

    fn mistake(text: &str) -> String {
        parse(text).map_or_else(|error| error, |duration| panic!("{duration:?}"))
    }

    #[test]
    fn every_unit() {
        assert_eq!(nanos("7ns"), 7);
        assert_eq!(nanos("7us"), 7_000);
        assert_eq!(nanos("250ms"), 250_000_000);
        assert_eq!(nanos("2s"), 2_000_000_000);
        assert_eq!(nanos("3m"), nanos("3min"));
        assert_eq!(nanos("2h"), 7_200_000_000_000);
        assert_eq!(nanos("1d"), 86_400_000_000_000);
    }

    #[test]
    fn sums_fractions_and_spaces() {
        assert_eq!(nanos("1m30s"), 90_000_000_000);
        assert_eq!(nanos("1h 2m 3s"), 3_723_000_000_000);
        assert_eq!(nanos("1.5s"), 1_500_000_000);
        assert_eq!(nanos(" 1.5 s "), 1_500_000_000);
        assert_eq!(nanos("1_000ms"), 1_000_000_000);
        assert_eq!(nanos("0s"), 0);
    }

    #[test]
    fn mistakes_say_what_was_meant() {
        assert!(mistake("5 sec").contains("did you mean `s`?"));
        assert!(mistake("5 seconds").contains("did you mean `s`?"));
        assert!(mistake("5millis").contains("did you mean `ms`?"));
        assert!(mistake("5S").contains("did you mean `s`?"));
        assert!(mistake("5 parsecs").contains("the units are"));
        assert!(mistake("2").contains("did you mean `\"2s\"` or `\"2ms\"`?"));
        assert!(mistake("-2s").contains("negative"));
        assert!(mistake("30s1m").contains("from large to small"));
        assert!(mistake("1s1s").contains("from large to small"));
    }

    #[test]
    fn nothing_is_rounded_and_nothing_overflows() {
        assert!(mistake("0.5ns").contains("finer than a nanosecond"));
        assert!(mistake("600000d").contains("too long"));
        assert!(mistake("99999999999999999999999999999999999999999d").contains("too long"));
        assert!(mistake("3938453320844195178974243d 94522879700260684295381835h").contains("too long"));
        assert!(mistake("s").contains("not a duration"));
        assert!(mistake("1.2.3s").contains("not a duration"));
        assert!(mistake("").contains("empty"));
        assert_eq!(nanos("18446744073709551615ns"), u128::from(u64::MAX));
    }

    #[test]
    fn shown_as_one_whole_number() {
        assert_eq!(show(Duration::from_millis(250)), "250ms");
        assert_eq!(show(Duration::from_secs(90)), "90s");
        assert_eq!(show(Duration::from_secs(60)), "1m");
        assert_eq!(show(Duration::ZERO), "0s");
    }
}
