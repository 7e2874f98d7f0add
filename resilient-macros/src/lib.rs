//! The attribute and the derive of `resilient-fn`.

mod attribute;
mod body;
mod classify;
mod duration;
mod expand;
mod fallback;
mod function;
mod guard;
mod keys;
mod literals;
mod mentions;
mod mistakes;
mod outcome;
mod parameters;
mod rate;
mod settings;
mod spelling;
mod tokens;
mod types;
mod validate;
mod value;

use proc_macro::TokenStream;

/// Makes a function survive the network: retries, circuit breaker, rate limit, bulkhead, timeout, deadline and fallback.
#[proc_macro_attribute]
pub fn resilient(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand::resilient(attribute.into(), item.into()).into()
}

/// Says of each variant of an error what it means: try again, slow down, give up, or not our business.
#[proc_macro_derive(Classify, attributes(transient, throttled, permanent, ignored, classify))]
pub fn classify(item: TokenStream) -> TokenStream {
    classify::derive(item.into()).into()
}
