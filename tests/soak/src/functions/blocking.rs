//! Sync functions.

use super::{DB, PATIENT, QUEUED, STRIPE, TURNSTILE, functions};
use crate::fault::Fault;

functions! { sync
    retried(visit) [retries = 2, base_delay = "1ms", max_delay = "4ms"] => attempts(3);
    picky(visit) [retries = 3, base_delay = "1ms", backoff = decorrelated, retry_if = Fault::is_lost] => attempts(4);
    bounded(visit) [retries = 4, base_delay = "1ms", backoff = linear, deadline = "20ms"] => attempts(5);
    thrifty(visit) [retries = 2, base_delay = "1ms", jitter = none, budget = "savings"] => attempts(3);
    stock(visit) [breaker = "stock", retries = 1, base_delay = "1ms", backoff = fibonacci] => attempts(2), breaker("stock");
    search(visit) [breaker = "search"] => attempts(1), breaker("search");
    paid(visit) [bucket = "stripe", max_wait = "10ms"] => attempts(1), quota(&STRIPE);
    patient(visit) [rate = "400/s", burst = 20, max_wait = none] => attempts(1), quota(&PATIENT), for_ever();
    turnstile(visit) [rate = "2400/min", burst = 4, max_wait = "5ms", breaker = "offers"]
        => attempts(1), quota(&TURNSTILE), breaker("offers");
    stored(visit) [bulkhead = "db", max_wait = "10ms"] => attempts(1), crowd(&DB);
    queued(visit) [bulkhead(name = "queue", concurrency = 3), max_wait = none] => attempts(1), crowd(&QUEUED), for_ever();
    hosted(visit) [
        breaker = "partner",
        retries = 2,
        base_delay = "1ms",
        backoff = constant,
        jitter = equal,
        max_retry_after = "3ms",
        budget = none,
        rate = "1000/s",
        concurrency = 4,
        key = visit.host,
        max_wait = visit.patience,
    ] => attempts(3);
}
