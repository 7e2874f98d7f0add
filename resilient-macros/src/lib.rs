//! The attribute and the derive of `resilient-fn`.

mod attribute;
mod body;
mod classify;
mod duration;
mod expand;
mod fallback;
mod function;
mod guard;
mod keyed;
mod keys;
mod last_known;
mod literals;
mod mentions;
mod mistakes;
mod outcome;
mod parameters;
mod rate;
mod script;
mod settings;
mod spelling;
mod tokens;
mod types;
#[cfg(test)]
mod ui;
mod validate;
mod value;

use proc_macro::TokenStream;

/// Puts policies around a function, sync or async. They act in the order
/// `fallback(deadline(retry(breaker(rate(bulkhead(timeout(body)))))))`; each is there if its key is.
///
/// | key | means | range | default |
/// |---|---|---|---|
/// | `retries = 3` | extra attempts after the first | from 1 | none |
/// | `base_delay = "50ms"` | first wait between attempts | above 0, at most `max_delay` | `100ms` |
/// | `max_delay = "2s"` | longest of our own waits, jitter included | above 0 | `10s` |
/// | `backoff = linear` | growth of waits: `exponential`, `constant`, `linear`, `fibonacci`, `decorrelated` | | `exponential` |
/// | `jitter = equal` | spread of waits: `full`, `equal`, `none`, or a ratio; not with `decorrelated` | ratio from 0 to 1 | `full` |
/// | `max_retry_after = "10s"` | longest hint of the server that is waited for | | `60s` |
/// | `retry_if = path` | `Fn(&E) -> bool`, or a closure: whether to try again | | the classification |
/// | `classify = path` | `Fn(&Output) -> Verdict`, or a closure: what an outcome means, `Ok` values included | | by type |
/// | `budget = 0.1` | retries that each success earns; `"name"` shares a pool, `none` lifts it | above 0, at most 10 | 0.2 and 10 a second, from a pool of 100 |
/// | `timeout = "2s"` | time of each attempt; async only | above 0, at most `deadline` | none |
/// | `deadline = "10s"` | time of the whole call, waits included | above 0 | none |
/// | `breaker = "name"` | the circuit breaker of that name; `breaker(name = "…", …)` gives it settings | | none |
/// | `rate = 10` | bodies that may start per second, or `"30/min"`, `"5000/h"`, `"1/day"` | 1 in 365 days to 10⁹ a second | none |
/// | `burst = 20` | how many of them at once; needs `rate` | from 1 | 1; above 100/s, 10 ms' worth |
/// | `bucket = "name"` | the token bucket of that name; `rate` and `burst` are its settings | | the function's own; a named one has 10/s |
/// | `concurrency = 16` | bodies that may run at once | 1 to 10⁶ | none |
/// | `bulkhead = "name"` | the bulkhead of that name; `concurrency` is its setting | | the function's own; a named one has 16 |
/// | `key = tenant` | one breaker, bucket and bulkhead for each value of the expression | any owned `Hash + Eq` | none |
/// | `max_keys = 1_000` | for how many keys at most at a time | 1 to 10⁷ | 10,000 |
/// | `max_wait = "1s"` | longest wait for a token or a place; `"0s"` never waits, `none` always | | `5s` |
/// | `fallback = path` | called once, last, with a `Failure<E>`; a closure may use parameters, `?` and `.await`; `last_known("10m")`: the last success | age above 0 | none |
/// | `map_err = path` | `Fn(Rejected) -> E`, or a closure | | `From<Rejected>` |
/// | `clone(a, b)` | parameters that the body consumes | | – |
/// | `reuse(a)` | a `mut` parameter whose changes the next attempt shall see | | a fresh copy |
/// | `context = cx` | binds a `&Context` of that name in the body: `attempt()`, `remaining()`, `idempotency_key()`, `previous_error()` | | none |
/// | `name = "charge"` | the function's name in errors and events | not empty | `module::path::function` |
/// | `crate = "path"` | where the library is | | `::resilient` |
///
/// Inside `breaker(…)`, beside `name`:
///
/// | key | means | range | default |
/// |---|---|---|---|
/// | `failure_threshold` | failures in a row that open the circuit | 1 to 10⁶ | 5; none beside a `failure_ratio` |
/// | `failure_ratio = 0.5` | share of failures in the `window` that opens it | above 0, at most 1 | none |
/// | `slow_call_duration = "2s"` | a body that takes longer is slow; a slow probe has failed | above 0 | none |
/// | `slow_call_ratio = 0.8` | share of slow calls in the `window` that opens it; needs `slow_call_duration` | above 0, at most 1 | 0.5 |
/// | `window = 200` | calls that the shares are taken over; `"30s"`: those of the last while, kept in ten slices | 1 to 10⁶, or 10 ms to 24 h | 100 calls |
/// | `minimum_calls` | calls that the `window` must hold before a share says anything | 1 to 10⁶, at most the `window` | 20, or all calls of a smaller `window` |
/// | `recovery_timeout` | how long it stays open at first, less up to a tenth at random | above 0, at most `max_recovery_timeout` | `5s` |
/// | `max_recovery_timeout` | how long at most, as each failed recovery doubles it | above 0 | `1m` |
/// | `half_open_calls` | probes at the same time | 1 to 1000 | 1 |
/// | `success_threshold` | successful probes in a row that close it | 1 to 10⁶ | 2 |
/// | `shadow = true` | it refuses nothing, and only counts and tells what it would have done | | `false` |
///
/// Each reason that is set opens the circuit by itself; `window` and `minimum_calls` need a `failure_ratio` or a
/// `slow_call_duration`. Where only `failure_ratio` is said, failures in a row do not open it.
///
/// `bucket(…)` takes `name`, `rate` and `burst`, `bulkhead(…)` takes `name` and `concurrency`, which mean what they mean outside.
/// `key` and `max_keys` inside a group hold for that one, and go before those outside. A key is evaluated once for each call, before
/// its first attempt; it may use parameters and `self`, and borrows them for that moment only.
///
/// Durations are a `Duration` or text: a number and `ns`, `us`, `ms`, `s`, `m` (or `min`), `h` or `d`, as in `"250ms"`, `"1.5s"`,
/// `"1m30s"`; at most 584 years. Rates are a number per second, a `Rate`, or text: a number, `/`, and `s`, `min`, `h` or `day`.
///
/// Any expression may stand for `retries`, `base_delay`, `max_delay`, `backoff`, `jitter`, `max_retry_after`, `timeout`, `deadline`
/// and `max_wait`; constants for the others.
#[proc_macro_attribute]
pub fn resilient(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand::resilient(attribute.into(), item.into()).into()
}

/// Implements `Classify` from marks on the variants.
///
/// | mark | verdict |
/// |---|---|
/// | `#[transient]` | tried again; a failure for the breaker |
/// | `#[throttled]` | tried again; nothing for the breaker |
/// | `#[permanent]` | not tried again; a success for the breaker, as the service answered |
/// | `#[ignored]` | not tried again; nothing for the breaker, as it arose on our side |
/// | `#[classify(transparent)]` | whatever the only field means |
/// | none | a lone `Rejected` stays a refusal; any other is transient, or what `#[classify(default = permanent)]` on the enum says: `transient`, `permanent` or `ignored` |
///
/// `#[transient(retry_after = field)]` and `#[throttled(retry_after = field)]` take the server's hint from a field, by name or
/// number: a `Duration` or an `Option` of one. A struct is marked like a variant. `#[classify(crate = "path")]` says where the
/// library is.
#[proc_macro_derive(Classify, attributes(transient, throttled, permanent, ignored, classify))]
pub fn classify(item: TokenStream) -> TokenStream {
    classify::derive(item.into()).into()
}
