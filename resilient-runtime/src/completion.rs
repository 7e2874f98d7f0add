//! Completion of the attribute's keys in editors.

/// Emitted with the keys that the user typed: rust-analyzer then completes them, and rustc sees nothing.
#[cfg(not(rust_analyzer))]
#[doc(hidden)]
#[macro_export]
macro_rules! __ide {
    ($($key:ident)*) => {};
}

#[cfg(rust_analyzer)]
#[doc(hidden)]
#[macro_export]
macro_rules! __ide {
    ($($key:ident)*) => {
        const _: () = {
            mod keys {
                use $crate::__private::keys::*;
                use self::{$($key as _),*};
            }
        };
    };
}

/// What rust-analyzer offers while a key is typed, with its documentation.
#[cfg(rust_analyzer)]
#[doc(hidden)]
pub mod keys {
    /// `retries = 3`: extra attempts after the first.
    pub mod retries {}
    /// `base_delay = "100ms"`: the first wait between attempts.
    pub mod base_delay {}
    /// `max_delay = "10s"`: the longest of our own waits, jitter included.
    pub mod max_delay {}
    /// `backoff = exponential | constant | linear | fibonacci | decorrelated`: how waits grow.
    pub mod backoff {}
    /// `jitter = full | equal | none | 0.25`: how waits are spread.
    pub mod jitter {}
    /// `max_retry_after = "60s"`: the longest wait that a server may ask for; a longer one ends the call.
    pub mod max_retry_after {}
    /// `retry_if = |error| …`: whether to try again; the breaker keeps the classification.
    pub mod retry_if {}
    /// `classify = |outcome| Verdict::…`: the whole say on what an outcome means.
    pub mod classify {}
    /// `budget = 0.2 | "name" | none`: the share of extra load that retries may add.
    pub mod budget {}
    /// `timeout = "2s"`: how long each attempt may take; async only.
    pub mod timeout {}
    /// `deadline = "10s"`: how long the whole call may take.
    pub mod deadline {}
    /// `breaker = "payments"` or `breaker(name = "payments", …)`: the circuit breaker of that name.
    pub mod breaker {}
    /// `rate = 10` or `rate = "30/min"`: calls per unit of time.
    pub mod rate {}
    /// `burst = 20`: calls that may start at once after a quiet time.
    pub mod burst {}
    /// `bucket = "stripe"` or `bucket(name = "stripe", key = tenant, …)`: the token bucket of that name.
    pub mod bucket {}
    /// `max_wait = "5s" | none`: the longest wait for a token or a slot.
    pub mod max_wait {}
    /// `concurrency = 16`: calls in flight.
    pub mod concurrency {}
    /// `bulkhead = "db"` or `bulkhead(name = "db", key = host, …)`: the bulkhead of that name.
    pub mod bulkhead {}
    /// `key = tenant`: one breaker, bucket and bulkhead for each value of the expression.
    pub mod key {}
    /// `max_keys = 10_000`: for how many keys at most.
    pub mod max_keys {}
    /// `fallback = |failure| …` or `fallback = last_known("10m")`: once, last, instead of the failure.
    pub mod fallback {}
    /// `map_err = |rejected| …`: a refusal as the function's own error.
    pub mod map_err {}
    /// `clone(order)`: parameters that the body consumes.
    pub mod clone {}
    /// `reuse(buffer)`: `mut` parameters whose changes the next attempt shall see.
    pub mod reuse {}
    /// `context = cx`: binds what the body may know of its call: attempt, time left, idempotency key, previous error.
    pub mod context {}
    /// `name = "charge"`: the function's name in errors and events.
    pub mod name {}
}
