//! The keys, how each is used, and what other libraries call it.

use syn::{Error, Ident};

use crate::spelling::{list, nearest};

/// Every key with an example of its use.
pub(crate) const KEYS: &[(&str, &str)] = &[
    ("retries", "retries = 3"),
    ("base_delay", "base_delay = \"100ms\""),
    ("max_delay", "max_delay = \"10s\""),
    ("backoff", "backoff = exponential"),
    ("jitter", "jitter = full"),
    ("max_retry_after", "max_retry_after = \"60s\""),
    ("retry_if", "retry_if = |error| error.is_temporary()"),
    ("classify", "classify = |outcome| verdict_of(outcome)"),
    ("budget", "budget = 0.2"),
    ("timeout", "timeout = \"2s\""),
    ("deadline", "deadline = \"10s\""),
    ("breaker", "breaker = \"payments\""),
    ("rate", "rate = \"100/s\""),
    ("burst", "burst = 20"),
    ("bucket", "bucket = \"stripe\""),
    ("max_wait", "max_wait = \"5s\""),
    ("concurrency", "concurrency = 16"),
    ("bulkhead", "bulkhead = \"db\""),
    ("key", "key = tenant"),
    ("max_keys", "max_keys = 10_000"),
    ("fallback", "fallback = |failure| default_value()"),
    ("map_err", "map_err = |rejected| MyError::from_refusal(rejected)"),
    ("clone", "clone(order)"),
    ("reuse", "reuse(buffer)"),
    ("context", "context = cx"),
    ("name", "name = \"charge\""),
    ("crate", "crate = \"path::to::resilient\""),
];

/// The fallback that is no code of the user's.
pub(crate) const LAST_KNOWN: &str = "fallback = last_known(\"10m\")";

/// The keys inside `breaker(…)`.
pub(crate) const BREAKER_KEYS: &[(&str, &str)] = &[
    ("name", "name = \"payments\""),
    ("failure_threshold", "failure_threshold = 5"),
    ("failure_ratio", "failure_ratio = 0.5"),
    ("slow_call_duration", "slow_call_duration = \"2s\""),
    ("slow_call_ratio", "slow_call_ratio = 0.5"),
    ("window", "window = 100"),
    ("minimum_calls", "minimum_calls = 20"),
    ("recovery_timeout", "recovery_timeout = \"5s\""),
    ("max_recovery_timeout", "max_recovery_timeout = \"1m\""),
    ("half_open_calls", "half_open_calls = 1"),
    ("success_threshold", "success_threshold = 2"),
    ("shadow", "shadow = true"),
    ("key", "key = host"),
    ("max_keys", "max_keys = 10_000"),
];

/// The keys inside `bucket(…)`.
pub(crate) const BUCKET_KEYS: &[(&str, &str)] = &[
    ("name", "name = \"stripe\""),
    ("rate", "rate = \"100/s\""),
    ("burst", "burst = 20"),
    ("key", "key = tenant"),
    ("max_keys", "max_keys = 10_000"),
];

/// The keys inside `bulkhead(…)`.
pub(crate) const BULKHEAD_KEYS: &[(&str, &str)] =
    &[("name", "name = \"db\""), ("concurrency", "concurrency = 16"), ("key", "key = host"), ("max_keys", "max_keys = 10_000")];

/// What other libraries call our keys.
const ALIASES: &[(&str, &str)] = &[
    ("attempts", "retries"),
    ("max_attempts", "retries"),
    ("max_attempt", "retries"),
    ("max_retries", "retries"),
    ("max_retry", "retries"),
    ("max_tries", "retries"),
    ("tries", "retries"),
    ("times", "retries"),
    ("retry", "retries"),
    ("stop_after", "retries"),
    ("delay", "base_delay"),
    ("wait", "base_delay"),
    ("interval", "base_delay"),
    ("initial_delay", "base_delay"),
    ("min_delay", "base_delay"),
    ("initial_interval", "base_delay"),
    ("max_interval", "max_delay"),
    ("max_backoff", "max_delay"),
    ("strategy", "backoff"),
    ("retry_after", "max_retry_after"),
    ("when", "retry_if"),
    ("condition", "retry_if"),
    ("retry_on", "retry_if"),
    ("retry_when", "retry_if"),
    ("retryable", "retry_if"),
    ("classifier", "classify"),
    ("retry_budget", "budget"),
    ("attempt_timeout", "timeout"),
    ("time_limit", "timeout"),
    ("total_timeout", "deadline"),
    ("overall_timeout", "deadline"),
    ("max_elapsed_time", "deadline"),
    ("circuit_breaker", "breaker"),
    ("circuit", "breaker"),
    ("rate_limit", "rate"),
    ("rate_limiter", "rate"),
    ("ratelimit", "rate"),
    ("throttle", "rate"),
    ("rps", "rate"),
    ("limit", "rate"),
    ("limiter", "bucket"),
    ("capacity", "burst"),
    ("burst_size", "burst"),
    ("queue_timeout", "max_wait"),
    ("semaphore", "concurrency"),
    ("max_concurrency", "concurrency"),
    ("max_concurrent", "concurrency"),
    ("max_in_flight", "concurrency"),
    ("concurrency_limit", "concurrency"),
    ("per", "key"),
    ("key_by", "key"),
    ("keyed_by", "key"),
    ("partition_by", "key"),
    ("max_entries", "max_keys"),
    ("recover", "fallback"),
    ("recovery", "fallback"),
    ("or_else", "fallback"),
    ("default", "fallback"),
    ("last_known", "fallback"),
    ("stale", "fallback"),
    ("map_error", "map_err"),
    ("error", "map_err"),
    ("cloned", "clone"),
    ("share", "reuse"),
    ("ctx", "context"),
    ("cx", "context"),
    ("id", "name"),
    ("krate", "crate"),
    ("threshold", "failure_threshold"),
    ("max_failures", "failure_threshold"),
    ("failures", "failure_threshold"),
    ("reset_timeout", "recovery_timeout"),
    ("wait_duration_in_open_state", "recovery_timeout"),
    ("open_duration", "recovery_timeout"),
    ("break_duration", "recovery_timeout"),
    ("duration_of_break", "recovery_timeout"),
    ("sleep_window", "recovery_timeout"),
    ("permitted_calls", "half_open_calls"),
    ("permitted_number_of_calls_in_half_open_state", "half_open_calls"),
    ("failure_rate", "failure_ratio"),
    ("failure_rate_threshold", "failure_ratio"),
    ("error_rate", "failure_ratio"),
    ("error_threshold_percentage", "failure_ratio"),
    ("slow_call_threshold", "slow_call_duration"),
    ("slow_call_duration_threshold", "slow_call_duration"),
    ("slow_call_rate", "slow_call_ratio"),
    ("slow_call_rate_threshold", "slow_call_ratio"),
    ("sliding_window", "window"),
    ("sliding_window_size", "window"),
    ("sliding_window_type", "window"),
    ("window_size", "window"),
    ("rolling_window", "window"),
    ("sampling_duration", "window"),
    ("min_calls", "minimum_calls"),
    ("minimum_number_of_calls", "minimum_calls"),
    ("minimum_throughput", "minimum_calls"),
    ("request_volume_threshold", "minimum_calls"),
    ("volume_threshold", "minimum_calls"),
    ("dry_run", "shadow"),
    ("metrics_only", "shadow"),
    ("monitor_only", "shadow"),
    ("report_only", "shadow"),
];

pub(crate) fn usage(keys: &[(&'static str, &'static str)], key: &str) -> &'static str {
    let found = keys.iter().find(|(name, _)| *name == key);
    found.map_or("", |(_, usage)| usage)
}

/// The key that was meant by a word that is none.
pub(crate) fn meant(keys: &[(&'static str, &'static str)], word: &str) -> Option<&'static str> {
    if let Some((key, _)) = keys.iter().find(|(key, _)| *key == word) {
        return Some(key);
    }
    let known = |name: &&str| keys.iter().any(|(key, _)| key == name);
    let alias = ALIASES.iter().find(|(alias, _)| *alias == word);
    let alias = alias.map(|(_, key)| *key).filter(known);
    alias.or_else(|| nearest(word, keys.iter().map(|(key, _)| *key)))
}

pub(crate) fn unknown(keys: &[(&'static str, &'static str)], word: &Ident) -> Error {
    let message = match meant(keys, &word.to_string()) {
        Some("retries") if word.to_string().contains("attempts") => {
            format!("unknown key `{word}`; did you mean `retries`? (`retries = 3` is 3 more attempts after the first)")
        }
        Some("fallback") if word == "last_known" => {
            format!("unknown key `{word}`; did you mean `fallback`? (`{LAST_KNOWN}`)")
        }
        Some(key) => format!("unknown key `{word}`; did you mean `{key}`? (`{}`)", usage(keys, key)),
        None if keys == KEYS && meant(BREAKER_KEYS, &word.to_string()).is_some_and(|key| key != "name") => {
            let key = meant(BREAKER_KEYS, &word.to_string()).unwrap_or_default();
            let usage = usage(BREAKER_KEYS, key);
            format!("unknown key `{word}`; `{key}` belongs inside `breaker(…)`: `breaker(name = \"payments\", {usage})`")
        }
        None => format!("unknown key `{word}`; the keys are {}", list(keys.iter().map(|(key, _)| *key))),
    };
    Error::new_spanned(word, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_alias_leads_to_a_key() {
        for (alias, key) in ALIASES {
            assert!(KEYS.iter().chain(BREAKER_KEYS).any(|(name, _)| name == key), "{alias}");
        }
    }

    #[test]
    fn other_libraries_words_come_first() {
        assert_eq!(meant(KEYS, "max_attempts"), Some("retries"));
        assert_eq!(meant(KEYS, "when"), Some("retry_if"));
        assert_eq!(meant(KEYS, "limit"), Some("rate"));
        assert_eq!(meant(KEYS, "recover"), Some("fallback"));
        assert_eq!(meant(BREAKER_KEYS, "failure_rate_threshold"), Some("failure_ratio"));
        assert_eq!(meant(BREAKER_KEYS, "slow_call_duration_threshold"), Some("slow_call_duration"));
        assert_eq!(meant(BREAKER_KEYS, "sampling_duration"), Some("window"));
        assert_eq!(meant(BREAKER_KEYS, "minimum_throughput"), Some("minimum_calls"));
    }

    #[test]
    fn then_the_nearest_key() {
        assert_eq!(meant(KEYS, "retrys"), Some("retries"));
        assert_eq!(meant(KEYS, "timout"), Some("timeout"));
        assert_eq!(meant(KEYS, "colour"), None);
        assert_eq!(meant(BREAKER_KEYS, "failure_treshold"), Some("failure_threshold"));
        assert_eq!(meant(BREAKER_KEYS, "max_attempts"), None);
    }
}
