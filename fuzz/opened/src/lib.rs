//! The macros' own files, outside a macro: each module of `resilient-macros/src/lib.rs`, so that their paths hold.

extern crate proc_macro;

#[path = "../../../resilient-macros/src/attribute.rs"]
mod attribute;
#[path = "../../../resilient-macros/src/body.rs"]
mod body;
#[path = "../../../resilient-macros/src/classify.rs"]
mod classify;
#[path = "../../../resilient-macros/src/duration.rs"]
mod duration;
#[path = "../../../resilient-macros/src/expand.rs"]
mod expand;
#[path = "../../../resilient-macros/src/fallback.rs"]
mod fallback;
#[path = "../../../resilient-macros/src/function.rs"]
mod function;
#[path = "../../../resilient-macros/src/guard.rs"]
mod guard;
#[path = "../../../resilient-macros/src/keyed.rs"]
mod keyed;
#[path = "../../../resilient-macros/src/keys.rs"]
mod keys;
#[path = "../../../resilient-macros/src/last_known.rs"]
mod last_known;
#[path = "../../../resilient-macros/src/literals.rs"]
mod literals;
#[path = "../../../resilient-macros/src/mentions.rs"]
mod mentions;
#[path = "../../../resilient-macros/src/mistakes.rs"]
mod mistakes;
#[path = "../../../resilient-macros/src/outcome.rs"]
mod outcome;
#[path = "../../../resilient-macros/src/parameters.rs"]
mod parameters;
#[path = "../../../resilient-macros/src/rate.rs"]
mod rate;
#[path = "../../../resilient-macros/src/script.rs"]
mod script;
#[path = "../../../resilient-macros/src/settings.rs"]
mod settings;
#[path = "../../../resilient-macros/src/spelling.rs"]
mod spelling;
#[path = "../../../resilient-macros/src/tokens.rs"]
mod tokens;
#[path = "../../../resilient-macros/src/types.rs"]
mod types;
#[path = "../../../resilient-macros/src/validate.rs"]
mod validate;
#[path = "../../../resilient-macros/src/value.rs"]
mod value;

use proc_macro2::TokenStream;
use std::time::Duration;

/// What `#[resilient(attribute)] item` becomes.
#[must_use]
pub fn resilient(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand::resilient(attribute, item)
}

/// What `#[derive(Classify)] item` adds.
#[must_use]
pub fn derive(item: TokenStream) -> TokenStream {
    classify::derive(item)
}

/// A duration as the attribute reads it.
///
/// # Errors
///
/// What the compiler is told is wrong with it.
pub fn duration(text: &str) -> Result<Duration, String> {
    duration::parse(text)
}

/// A duration as the attribute's messages show it.
#[must_use]
pub fn shown(duration: Duration) -> String {
    duration::show(duration)
}

/// Calls, and the time in which so many may start, as the attribute reads them.
///
/// # Errors
///
/// What the compiler is told is wrong with it.
pub fn rate(text: &str) -> Result<(u64, Duration), String> {
    rate::parse(text).map(|rate| (rate.count, rate.period))
}

/// The same of a number without a unit, which is per second.
///
/// # Errors
///
/// What the compiler is told is wrong with it.
pub fn per_second(number: &str) -> Result<(u64, Duration), String> {
    rate::per(number, 1).map(|rate| (rate.count, rate.period))
}
