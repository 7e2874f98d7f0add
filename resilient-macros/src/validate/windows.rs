//! What the windows of a breaker may be.

use std::time::Duration;

use super::Rules;
use crate::keys::{BREAKER_KEYS, usage};
use crate::literals::{Count, Ratio, Window};
use crate::settings::Breaker;
use crate::spelling::list;
use crate::value::Setting;

const WINDOW_CALLS: u32 = 100;
const MOST_CALLS: u32 = 1_000_000;
const SHORTEST_WINDOW: Duration = Duration::from_millis(10);
const LONGEST_WINDOW: Duration = Duration::from_secs(24 * 3600);

impl Rules<'_> {
    pub(super) fn breaker_windows(&mut self, breaker: &Breaker) {
        self.above_zero(breaker.slow_call_duration.as_ref());
        self.share(breaker.failure_ratio.as_ref());
        self.share(breaker.slow_call_ratio.as_ref());
        self.window(breaker.window.as_ref());
        self.minimum_calls(breaker);
        let asked = ["failure_ratio", "slow_call_duration"];
        for (key, needed) in [("slow_call_ratio", &asked[1..]), ("window", &asked[..]), ("minimum_calls", &asked[..])] {
            if let Some(typed) = breaker.key(key)
                && needed.iter().all(|needed| breaker.key(needed).is_none())
                && typed == key
            {
                let (needed, usage) = (list(needed.iter().copied()), usage(BREAKER_KEYS, needed[0]));
                self.mistakes.on(typed, format!("`{key}` needs {needed} beside it, such as `{usage}`"));
            }
        }
    }

    fn share(&mut self, setting: Option<&Setting<Ratio>>) {
        let Some(Setting { key, given, literal: Some(Ratio(ratio)) }) = setting else { return };
        if !(*ratio > 0.0 && *ratio <= 1.0) {
            let percent = Some(ratio / 100.0).filter(|_| (2.0..=100.0).contains(ratio));
            let advice = percent.map_or(String::new(), |share| format!("; {ratio} % is `{share}`"));
            self.mistakes.on(given, format!("`{key}` is above 0 and at most 1, where 1 is all calls{advice}"));
        }
    }

    fn window(&mut self, setting: Option<&Setting<Window>>) {
        let Some(Setting { given, literal: Some(window), .. }) = setting else { return };
        match window {
            Window::Calls(1..=MOST_CALLS) => {}
            Window::Calls(_) => self.mistakes.on(given, "a `window` of calls is from 1 to 1000000"),
            Window::Time(time) if (SHORTEST_WINDOW..=LONGEST_WINDOW).contains(time) => {}
            Window::Time(_) => self.mistakes.on(given, "a `window` of time is from 10ms to 24h"),
        }
    }

    fn minimum_calls(&mut self, breaker: &Breaker) {
        let Some(Setting { given, literal: Some(Count(calls)), .. }) = &breaker.minimum_calls else { return };
        let window = match &breaker.window {
            None if breaker.key("window").is_none() => Some((WINDOW_CALLS, "the default `window`")),
            Some(Setting { literal: Some(Window::Calls(all @ 1..=MOST_CALLS)), .. }) => Some((*all, "the `window`")),
            _ => None,
        };
        if !(1..=MOST_CALLS).contains(calls) {
            self.mistakes.on(given, "`minimum_calls` is from 1 to 1000000");
        } else if let Some((all, window)) = window.filter(|(all, _)| calls > all) {
            self.mistakes.on(given, format!("`minimum_calls` ({calls}) is more than {window} ever holds ({all})"));
        }
    }
}
