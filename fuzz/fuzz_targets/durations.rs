//! Durations and rates: the attribute and the configuration read the same text as the same value or both refuse it, and what either
//! shows is read as what it was.
#![no_main]

use resilient::__private::{fuzz_duration, fuzz_shown, fuzz_shown_rate};
use resilient::Rate;
use std::time::Duration;

libfuzzer_sys::fuzz_target!(|text: &str| {
    duration(text);
    rate(text);
});

fn duration(text: &str) {
    let (compiled, configured) = (opened::duration(text), fuzz_duration(text));
    assert_eq!(compiled.clone().ok(), configured.clone().ok(), "{text:?}: {compiled:?}, {configured:?}");
    let Ok(duration) = compiled else { return };
    for shown in [opened::shown(duration), fuzz_shown(duration)] {
        assert_eq!(opened::duration(&shown), Ok(duration), "{text:?} is shown as {shown:?}");
        assert_eq!(fuzz_duration(&shown), Ok(duration), "{text:?} is shown as {shown:?}");
    }
}

fn rate(text: &str) {
    let has_unit = text.contains('/');
    let compiled = if has_unit { opened::rate(text) } else { opened::per_second(text.trim()) };
    let configured = text.parse::<Rate>();
    match (&compiled, &configured) {
        (Ok((count, period)), Ok(rate)) => assert_eq!(Rate::per(*count, *period), *rate, "{text:?}"),
        (Err(_), Err(_)) => {}
        // Only configuration takes a time for a unit: `7/90s`.
        (Err(_), Ok(_)) => assert!(unit(text).is_some_and(|unit| fuzz_duration(unit).is_ok()), "{text:?}: {compiled:?}"),
        (Ok(_), Err(_)) => panic!("{text:?}: {compiled:?}, {configured:?}"),
    }
    if let Ok(rate) = configured {
        let shown = fuzz_shown_rate(&rate);
        assert_eq!(shown.parse::<Rate>().as_ref(), Ok(&rate), "{text:?} is shown as {shown:?}");
    }
    if let Ok((count, period)) = compiled {
        assert!(count > 0 && period > Duration::ZERO && u128::from(count) <= period.as_nanos(), "{text:?}");
    }
}

fn unit(text: &str) -> Option<&str> {
    text.split_once('/').map(|(_, unit)| unit)
}
