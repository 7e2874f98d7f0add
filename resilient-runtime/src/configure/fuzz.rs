//! What `fuzz/` feeds with any text; not there in an ordinary build.

use super::installed::install;
use super::taste::{self, Tasted};
use crate::duration_text;
use crate::rate::Rate;
use std::time::Duration;

/// Reads a text as a file, and installs it if it can be taken.
///
/// # Panics
///
/// Where there is a mistake of ours.
pub fn fuzz_toml(text: &str) {
    take(taste::toml(text));
}

/// Reads lines as variables, and installs them if they can be taken.
///
/// # Panics
///
/// Where there is a mistake of ours.
pub fn fuzz_environment(text: &str) {
    take(taste::environment(text));
}

/// A duration as configuration reads it.
///
/// # Errors
///
/// What is wrong with the text.
pub fn fuzz_duration(text: &str) -> Result<Duration, String> {
    duration_text::parse(text)
}

/// A duration as the catalogue shows it.
#[must_use]
pub fn fuzz_shown(duration: Duration) -> String {
    duration_text::show(duration)
}

/// A rate as the catalogue shows it.
#[must_use]
pub fn fuzz_shown_rate(rate: &Rate) -> String {
    rate.text()
}

fn take(tasted: Tasted) {
    std::hint::black_box(tasted.said);
    if let Ok(installed) = tasted.installed {
        install(installed);
    }
}
