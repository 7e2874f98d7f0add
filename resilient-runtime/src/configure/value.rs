//! One setting's value: read from what a file or a variable says, and shown as one would write it.

use crate::backoff::{Backoff, Jitter};
use crate::duration_text;
use crate::plan::BudgetChoice;
use crate::rate::Rate;
use crate::window::{Extent, Window};
use std::time::Duration;

/// A value as it was found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Raw {
    Text(String),
    Integer(i64),
    Number(f64),
    Boolean(bool),
    /// Something that no setting takes, such as an array.
    #[cfg_attr(not(any(feature = "config", test)), expect(dead_code, reason = "variables hold text"))]
    Other(&'static str),
}

impl Raw {
    /// What a variable of the environment says, which knows text alone.
    pub(crate) fn of_variable(text: &str) -> Self {
        let text = text.trim();
        if let Ok(integer) = text.parse() {
            return Self::Integer(integer);
        }
        match text {
            "true" => Self::Boolean(true),
            "false" => Self::Boolean(false),
            _ if text.starts_with(|c: char| c.is_ascii_digit() || c == '.') => {
                text.parse().map_or_else(|_| Self::Text(text.to_owned()), Self::Number)
            }
            _ => Self::Text(text.to_owned()),
        }
    }

    fn show(&self) -> String {
        match self {
            Self::Text(text) => format!("{text:?}"),
            Self::Integer(integer) => integer.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Boolean(boolean) => boolean.to_string(),
            Self::Other(what) => (*what).to_owned(),
        }
    }
}

/// What a setting can be set to.
pub(crate) trait Value: Copy + PartialEq {
    /// Completes "`word` takes …".
    const TAKES: &'static str;

    /// `None` for something of a wrong kind.
    fn read(raw: &Raw) -> Option<Result<Self, String>>;

    fn show(&self) -> String;

    fn read_as(word: &str, raw: &Raw) -> Result<Self, String> {
        let wrong = || Err(format!("`{word}` takes {}, not {}", Self::TAKES, raw.show()));
        Self::read(raw).unwrap_or_else(wrong)
    }
}

impl Value for u32 {
    const TAKES: &'static str = "a whole number";

    fn read(raw: &Raw) -> Option<Result<Self, String>> {
        let Raw::Integer(integer) = raw else { return None };
        Some(Self::try_from(*integer).map_err(|_| format!("`{integer}` is out of range: 0 to {}", Self::MAX)))
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for bool {
    const TAKES: &'static str = "`true` or `false`";

    fn read(raw: &Raw) -> Option<Result<Self, String>> {
        let Raw::Boolean(boolean) = raw else { return None };
        Some(Ok(*boolean))
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for f64 {
    const TAKES: &'static str = "a number";

    fn read(raw: &Raw) -> Option<Result<Self, String>> {
        match raw {
            Raw::Number(number) => Some(Ok(*number)),
            Raw::Integer(integer) => integer.to_string().parse().ok().map(Ok),
            _ => None,
        }
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for Duration {
    const TAKES: &'static str = "a duration such as \"250ms\", \"2s\" or \"1m30s\"";

    fn read(raw: &Raw) -> Option<Result<Self, String>> {
        let Raw::Text(text) = raw else { return None };
        let wrong = |error| format!("{text:?} is not a duration such as \"250ms\", \"2s\" or \"1m30s\": {error}");
        Some(duration_text::parse(text).map_err(wrong))
    }

    fn show(&self) -> String {
        duration_text::show(*self)
    }
}

/// A wait that may be without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MaxWait(pub(crate) Duration);

impl Value for MaxWait {
    const TAKES: &'static str = "a duration such as \"5s\", or \"none\"";

    fn read(raw: &Raw) -> Option<Result<Self, String>> {
        if matches!(raw, Raw::Text(text) if text == "none") {
            return Some(Ok(Self(Duration::MAX)));
        }
        Duration::read(raw).map(|wait| wait.map(Self))
    }

    fn show(&self) -> String {
        if self.0 == Duration::MAX { "none".to_owned() } else { self.0.show() }
    }
}

impl Value for Rate {
    const TAKES: &'static str = "calls per second, or text with a unit such as \"30/min\"";

    fn read(raw: &Raw) -> Option<Result<Self, String>> {
        match raw {
            Raw::Integer(count) => {
                Some(u64::try_from(*count).map(Self::per_second).map_err(|_| "a rate cannot be negative".to_owned()))
            }
            Raw::Number(count) => Some(count.to_string().parse::<Self>().map_err(|error| error.to_string())),
            Raw::Text(text) => Some(text.parse::<Self>().map_err(|error| error.to_string())),
            Raw::Boolean(_) | Raw::Other(_) => None,
        }
    }

    fn show(&self) -> String {
        self.text()
    }
}

impl Value for Window {
    const TAKES: &'static str = "a number of calls, or a duration such as \"30s\"";

    fn read(raw: &Raw) -> Option<Result<Self, String>> {
        match raw {
            Raw::Integer(_) => u32::read(raw).map(|calls| calls.map(Self::calls)),
            _ => Duration::read(raw).map(|time| time.map(Self::time)),
        }
    }

    fn show(&self) -> String {
        match self.0 {
            Extent::Calls(calls) => calls.to_string(),
            Extent::Time(time) => time.show(),
        }
    }
}

const BACKOFFS: [(&str, Backoff); 5] = [
    ("exponential", Backoff::Exponential),
    ("constant", Backoff::Constant),
    ("linear", Backoff::Linear),
    ("fibonacci", Backoff::Fibonacci),
    ("decorrelated", Backoff::Decorrelated),
];

impl Value for Backoff {
    const TAKES: &'static str = "\"exponential\", \"constant\", \"linear\", \"fibonacci\" or \"decorrelated\"";

    fn read(raw: &Raw) -> Option<Result<Self, String>> {
        let Raw::Text(text) = raw else { return None };
        BACKOFFS.iter().find(|(word, _)| word == text).map(|(_, backoff)| Ok(*backoff))
    }

    fn show(&self) -> String {
        let word = BACKOFFS.iter().find(|(_, backoff)| backoff == self).map_or("", |(word, _)| word);
        word.to_owned()
    }
}

impl Value for Jitter {
    const TAKES: &'static str = "\"full\", \"equal\", \"none\" or a ratio from 0 to 1";

    fn read(raw: &Raw) -> Option<Result<Self, String>> {
        match raw {
            Raw::Text(text) if text == "full" => Some(Ok(Self::Full)),
            Raw::Text(text) if text == "equal" => Some(Ok(Self::Equal)),
            Raw::Text(text) if text == "none" => Some(Ok(Self::None)),
            Raw::Integer(_) | Raw::Number(_) => f64::read(raw).map(|ratio| ratio.map(Self::Ratio)),
            _ => None,
        }
    }

    fn show(&self) -> String {
        match self {
            Self::Full => "full".to_owned(),
            Self::Equal => "equal".to_owned(),
            Self::None => "none".to_owned(),
            Self::Ratio(ratio) => ratio.to_string(),
        }
    }
}

impl Value for BudgetChoice {
    const TAKES: &'static str = "a ratio, the name of a budget, or \"none\"";

    fn read(raw: &Raw) -> Option<Result<Self, String>> {
        match raw {
            Raw::Text(text) if text == "none" => Some(Ok(Self::None)),
            Raw::Text(text) if text.is_empty() => Some(Err("a budget's name may not be empty".to_owned())),
            Raw::Text(text) => Some(Ok(Self::Named(crate::registry::intern(text)))),
            Raw::Integer(_) | Raw::Number(_) => f64::read(raw).map(|ratio| ratio.map(Self::Ratio)),
            Raw::Boolean(_) | Raw::Other(_) => None,
        }
    }

    fn show(&self) -> String {
        match self {
            Self::Ratio(ratio) => ratio.to_string(),
            Self::Named(name) => (*name).to_owned(),
            Self::None => "none".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown<V: Value>(raw: &Raw) -> String {
        V::read_as("word", raw).map_or_else(|message| message, |value| value.show())
    }

    #[test]
    fn a_word_is_one_of_those_that_are_known() {
        let text = |text: &str| Raw::Text(text.to_owned());
        for word in ["full", "equal", "none"] {
            assert_eq!(shown::<Jitter>(&text(word)), word);
        }
        assert!(Jitter::read(&text("some")).is_none());
        assert_eq!(BudgetChoice::read(&text("none")), Some(Ok(BudgetChoice::None)));
        assert_eq!(BudgetChoice::read(&text("some")), Some(Ok(BudgetChoice::Named("some"))));
        assert!(BudgetChoice::read(&text("")).is_some_and(|read| read.is_err()));
    }

    #[test]
    fn variables_are_read_by_their_look() {
        assert_eq!(Raw::of_variable(" 3 "), Raw::Integer(3));
        assert_eq!(Raw::of_variable("0.2"), Raw::Number(0.2));
        assert_eq!(Raw::of_variable("true"), Raw::Boolean(true));
        for text in ["100/s", "250ms", "none", "nan", "inf", "1e", ""] {
            assert_eq!(Raw::of_variable(text), Raw::Text(text.to_owned()));
        }
    }

    #[test]
    fn what_is_shown_reads_as_the_same() {
        let text = |text: &str| Raw::Text(text.to_owned());
        assert_eq!(shown::<Duration>(&text("1m 30s")), "1m30s");
        assert_eq!(shown::<MaxWait>(&text("none")), "none");
        assert_eq!(shown::<Rate>(&text("30/min")), "30/min");
        assert_eq!(shown::<Rate>(&Raw::Integer(100)), "100/s");
        assert_eq!(shown::<Backoff>(&text("fibonacci")), "fibonacci");
        assert_eq!(shown::<Jitter>(&Raw::Number(0.25)), "0.25");
        assert_eq!(shown::<BudgetChoice>(&text("none")), "none");
        assert_eq!(shown::<u32>(&Raw::Integer(7)), "7");
    }

    #[test]
    fn a_whole_number_of_any_size_is_a_number() {
        assert_eq!(shown::<f64>(&Raw::Integer(-1)), "-1");
        assert_eq!(shown::<f64>(&Raw::Integer(5_000_000_000)), "5000000000");
    }

    #[test]
    fn mistakes_say_what_is_taken() {
        assert_eq!(shown::<u32>(&Raw::Text("3".into())), "`word` takes a whole number, not \"3\"");
        assert_eq!(shown::<u32>(&Raw::Integer(-1)), "`-1` is out of range: 0 to 4294967295");
        assert_eq!(shown::<bool>(&Raw::Integer(1)), "`word` takes `true` or `false`, not 1");
        assert!(shown::<Duration>(&Raw::Text("5 parsecs".into())).starts_with("\"5 parsecs\" is not a duration such as"));
        assert!(shown::<Duration>(&Raw::Integer(5)).ends_with("\"1m30s\", not 5"));
        assert!(shown::<Backoff>(&Raw::Text("expo".into())).ends_with("not \"expo\""));
        assert!(shown::<Rate>(&Raw::Other("an array")).ends_with("not an array"));
    }
}
