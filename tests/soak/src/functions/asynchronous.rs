//! Async functions.

use super::{CROWDED, DB, EVERYBODY, EVERYTHING, IMPATIENT, PACED, PARTNER, PARTNERS, STRIPE, TENANT, functions};
use crate::fault::Fault;

functions! { async
    exponential(visit) [retries = 3, base_delay = "1ms", max_delay = "8ms", backoff = exponential, jitter = full] => attempts(4);
    constant(visit) [retries = 2, base_delay = "2ms", backoff = constant, jitter = none] => attempts(3);
    linear(visit) [retries = 3, base_delay = "1ms", backoff = linear, jitter = equal] => attempts(4);
    fibonacci(visit) [retries = 4, base_delay = "1ms", max_delay = "5ms", backoff = fibonacci, jitter = 0.25] => attempts(5);
    decorrelated(visit) [retries = 3, base_delay = "1ms", max_delay = "6ms", backoff = decorrelated] => attempts(4);
    hinted(visit) [retries = 2, base_delay = "1ms", max_retry_after = "5ms"] => attempts(3);
    picky(visit) [retries = 2, base_delay = "1ms", retry_if = |fault: &Fault| fault.is_lost()] => attempts(3);

    limited(visit) [timeout = "12ms"] => attempts(1);
    bounded(visit) [deadline = "25ms"] => attempts(1);
    hurried(visit) [retries = 3, base_delay = "1ms", timeout = "10ms", deadline = "30ms"] => attempts(4);

    saving(visit) [retries = 3, base_delay = "1ms", budget = "savings"] => attempts(4);
    thrifty(visit) [retries = 3, base_delay = "1ms", budget = 0.1] => attempts(4);
    lavish(visit) [retries = 2, base_delay = "1ms", budget = none] => attempts(3);

    stock(visit) [
        retries = 1,
        base_delay = "1ms",
        breaker(name = "stock", failure_threshold = 5, recovery_timeout = "40ms", max_recovery_timeout = "200ms"),
    ] => attempts(2), breaker("stock");
    stock_in_time(visit) [breaker = "stock", timeout = "12ms"] => attempts(1), breaker("stock");
    prices(visit) [
        timeout = "20ms",
        breaker(
            name = "prices",
            failure_ratio = 0.5,
            window = 50,
            minimum_calls = 20,
            half_open_calls = 3,
            success_threshold = 3,
            recovery_timeout = "30ms",
            max_recovery_timeout = "200ms",
        ),
    ] => attempts(1), breaker("prices");
    offers(visit) [
        breaker(
            name = "offers",
            failure_threshold = 30,
            failure_ratio = 0.4,
            window = "300ms",
            minimum_calls = 10,
            recovery_timeout = "30ms",
            max_recovery_timeout = "200ms",
        ),
    ] => attempts(1), breaker("offers");
    search(visit) [
        breaker(
            name = "search",
            slow_call_duration = "6ms",
            slow_call_ratio = 0.6,
            window = 40,
            recovery_timeout = "30ms",
            max_recovery_timeout = "200ms",
        ),
    ] => attempts(1), breaker("search");
    trial(visit) [
        breaker(
            name = "trial",
            shadow = true,
            failure_threshold = 3,
            recovery_timeout = "30ms",
            max_recovery_timeout = "200ms",
        ),
    ] => attempts(1), breaker("trial");

    paced(visit) [rate = "50/s", burst = 10, max_wait = "150ms"] => attempts(1), quota(&PACED);
    impatient(visit) [rate = 40, burst = 2, max_wait = "0s"] => attempts(1), quota(&IMPATIENT);
    paid(visit) [bucket(name = "stripe", rate = "100/s", burst = 20), max_wait = visit.patience] => attempts(1), quota(&STRIPE);
    paid_again(visit) [bucket = "stripe", retries = 2, base_delay = "1ms", deadline = "90ms"] => attempts(3), quota(&STRIPE);

    crowded(visit) [concurrency = 2, max_wait = "30ms"] => attempts(1), crowd(&CROWDED);
    stored(visit) [bulkhead = "db", max_wait = "20ms", timeout = "10ms"] => attempts(1), crowd(&DB);
    stored_with_care(visit) [
        bulkhead(name = "db", concurrency = 3),
        breaker = "prices",
        retries = 1,
        base_delay = "1ms",
        deadline = "60ms",
    ] => attempts(2), crowd(&DB), breaker("prices");

    tenant(visit) [
        breaker(name = "tenants", recovery_timeout = "40ms", max_recovery_timeout = "200ms"),
        rate = "8/s",
        burst = 3,
        key = visit.tenant,
        max_wait = "150ms",
    ] => attempts(1), quota(&TENANT);
    partner(visit) [
        breaker(name = "partner", recovery_timeout = "40ms", max_recovery_timeout = "200ms", key = (visit.tenant, visit.host.to_owned()), max_keys = 1_000),
        bucket(name = "partner", rate = "8/s", burst = 4, key = visit.tenant, max_keys = 1_000),
        bulkhead(name = "partner", concurrency = 2, key = visit.host, max_keys = 100),
        retries = 1,
        base_delay = "1ms",
        max_wait = "150ms",
    ] => attempts(2), quota(&PARTNER), crowd(&PARTNERS);
    strangers(visit) [
        breaker(name = "strangers", recovery_timeout = "40ms", max_recovery_timeout = "200ms"),
        rate = "50/s",
        burst = 2,
        concurrency = 2,
        key = visit.stranger,
        max_keys = 200,
        max_wait = "5ms",
    ] => attempts(1);

    everything(visit) [
        retries = 3,
        base_delay = "1ms",
        max_delay = "6ms",
        backoff = exponential,
        jitter = 0.5,
        max_retry_after = "10ms",
        budget = "savings",
        timeout = "12ms",
        deadline = "150ms",
        breaker = "stock",
        rate = "60/s",
        burst = 10,
        concurrency = 3,
        max_wait = "100ms",
    ] => attempts(4), quota(&EVERYTHING), crowd(&EVERYBODY), breaker("stock");
}
