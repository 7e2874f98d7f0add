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

/// Makes a function survive the network.
///
/// Put `#[resilient(…)]` on a free function, a method or a trait's default method, sync or async, and say with keys what should
/// happen. The signature never changes. The order in which policies act is always the same:
///
/// ```text
/// fallback( deadline( retry( breaker( rate( bulkhead( timeout( body )))))))
/// ```
///
/// | key | means | default |
/// |---|---|---|
/// | `retries = 3` | extra attempts after the first | none |
/// | `base_delay`, `max_delay` | first wait; cap of our own waits | `"100ms"`, `"10s"` |
/// | `backoff` | `exponential`, `constant`, `linear`, `fibonacci`, `decorrelated` | `exponential` |
/// | `jitter` | `full`, `equal`, `none`, or a ratio | `full` |
/// | `max_retry_after` | longest hint of the server that is waited for | `"60s"` |
/// | `retry_if = path or closure` | `Fn(&E) -> bool`: whether to try again | the classification |
/// | `classify = path or closure` | `Fn(&Output) -> Verdict`: what an outcome means | by type |
/// | `budget = 0.2`, `"name"`, `none` | share of extra load that retries may add | 20 % |
/// | `timeout = "2s"` | for each attempt; async only | none |
/// | `deadline = "10s"` | for the whole call, waits included | none |
/// | `breaker = "name"` | the circuit breaker of that name; `breaker(name = "…", failure_threshold = 3, …)` with settings | none |
/// | `rate = "100/s"`, `burst = 20` | how many calls may start | none |
/// | `bucket = "name"` | the token bucket of that name, instead of one of this function's own | its own |
/// | `concurrency = 16`, `bulkhead = "name"` | how many calls may run at once | none |
/// | `max_wait = "5s"` | longest wait for a token or a place; `none` waits for ever | `"5s"` |
/// | `fallback = path or closure` | what the caller gets instead of the last failure | none |
/// | `map_err = path or closure` | `Fn(Rejected) -> E`, where there is no `From<Rejected>` | `From` |
/// | `clone(a, b)` | parameters that the body consumes | — |
/// | `reuse(a)` | a `mut` parameter whose changes the next attempt shall see | a fresh copy |
/// | `name = "charge"` | this function's name in configuration and events | its path |
/// | `crate = "path"` | where the library is | `::resilient` |
///
/// What belongs to one call (`retries`, the delays, `timeout`, `deadline`, `max_wait`) may be any expression, of parameters and
/// `self` too; names, and what is shared between calls, must be constants. Durations are written `"250ms"`, `"1m30s"` or as a
/// `Duration`; rates as a number per second or `"30/min"`, `"5000/h"`, `"1/day"`.
#[proc_macro_attribute]
pub fn resilient(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand::resilient(attribute.into(), item.into()).into()
}

/// Says what each variant of an error means: try again, slow down, give up, or not our business.
///
/// Mark a variant with `#[transient]`, `#[throttled]`, `#[permanent]` or `#[ignored]`; the first two take
/// `retry_after = field`, a `Duration` or an `Option` of one. `#[classify(transparent)]` asks the only field. A variant that
/// holds a `Rejected` stays a refusal, and any other is transient unless the type says `#[classify(default = permanent)]`.
/// A struct is marked like a variant; `#[classify(crate = "path")]` says where the library is.
#[proc_macro_derive(Classify, attributes(transient, throttled, permanent, ignored, classify))]
pub fn classify(item: TokenStream) -> TokenStream {
    classify::derive(item.into()).into()
}
