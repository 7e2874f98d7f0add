//! Durations as text, as the attribute reads them: `250ms`, `2s`, `1m30s`, `1.5s`.

use std::time::Duration;

/// From large to small; the first of equal ones is how it is shown.
const UNITS: [(&str, u64); 9] = [
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

/// Reads parts such as `1m` and `30s`, from large units to small ones, and adds them up.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let (mut rest, mut total, mut previous) = (text.trim(), 0_u64, u64::MAX);
    if rest.is_empty() {
        return Err("it is empty".to_owned());
    }
    while !rest.is_empty() {
        let (number, behind) = split(rest, |c| c.is_ascii_digit() || c == '.' || c == '_');
        let (unit, behind) = split(behind.trim_start(), |c| !(c.is_ascii_digit() || c.is_whitespace()));
        let nanos = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, nanos)| *nanos);
        let nanos = nanos.ok_or_else(|| no_unit(unit))?;
        if nanos >= previous {
            return Err("the units go from large to small, each once".to_owned());
        }
        let part = scaled(number, nanos)?;
        total = total.checked_add(part).ok_or_else(too_long)?;
        (rest, previous) = (behind.trim_start(), nanos);
    }
    Ok(Duration::from_nanos(total))
}

/// As one would write it, from large units to small ones: `1m30s`.
pub(crate) fn show(duration: Duration) -> String {
    let mut rest = duration.as_nanos();
    let mut text = String::new();
    for (name, nanos) in UNITS.map(|(name, nanos)| (name, u128::from(nanos))) {
        if rest >= nanos {
            text += &(rest / nanos).to_string();
            text += name;
            rest %= nanos;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

fn no_unit(unit: &str) -> String {
    let units = "the units are ns, us, ms, s, m, h and d";
    if unit.is_empty() { format!("a number has no unit; {units}") } else { format!("unknown unit `{unit}`; {units}") }
}

fn too_long() -> String {
    "it is too long: at most 584 years".to_owned()
}

/// `number` times `unit`, exactly.
fn scaled(number: &str, unit: u64) -> Result<u64, String> {
    let digits = number.replace('_', "");
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    if fraction.contains('.') || digits.ends_with('.') || whole.is_empty() {
        return Err(format!("`{number}` is not a number"));
    }
    let ten_power = u32::try_from(fraction.len()).ok().and_then(|places| 10_u128.checked_pow(places));
    let product = format!("{whole}{fraction}").parse::<u128>().ok().and_then(|digits| digits.checked_mul(u128::from(unit)));
    let (Some(product), Some(ten_power)) = (product, ten_power) else { return Err(too_long()) };
    if product % ten_power != 0 {
        return Err("it is finer than a nanosecond".to_owned());
    }
    u64::try_from(product / ten_power).map_err(|_| too_long())
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_reads_as_the_same() {
        for text in ["0s", "7ns", "7us", "250ms", "2s", "1m30s", "1h", "1d2h3m4s5ms6us7ns", "365d"] {
            assert_eq!(parse(text).map(show).as_deref(), Ok(text));
        }
        assert_eq!(parse("18446744073709551615ns"), Ok(Duration::from_nanos(u64::MAX)));
    }

    #[test]
    fn it_is_read_as_the_attribute_reads_it() {
        for (text, same) in
            [(" 1.5 s ", "1s500ms"), ("1_000ms", "1s"), ("1h 2m", "1h2m"), ("3min", "3m"), ("9µs", "9us"), ("0.5h", "30m")]
        {
            assert_eq!(parse(text).map(show).as_deref(), Ok(same), "{text}");
        }
    }

    #[test]
    fn mistakes_say_what_was_expected() {
        for (text, mistake) in [
            ("", "it is empty"),
            ("5", "a number has no unit"),
            ("5 parsecs", "unknown unit `parsecs`; the units are"),
            ("-2s", "unknown unit `-`"),
            ("s", "`` is not a number"),
            ("1.2.3s", "is not a number"),
            ("1.s", "is not a number"),
            ("30s1m", "from large to small"),
            ("1s1s", "from large to small"),
            ("0.5ns", "finer than a nanosecond"),
            ("600000d", "at most 584 years"),
            ("213504d", "at most 584 years"),
            ("99999999999999999999999999999999999999999d", "at most 584 years"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(mistake), "{text}: {error}");
        }
    }
}
