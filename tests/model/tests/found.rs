//! Histories in which the library once did otherwise, as small as they can be.

use reference_model::bucket::Rate;
use reference_model::budget;
use reference_model::function::{Backoff, Function, Jitter, NEVER, Outcome};
use reference_model::history::{History, Operation, Reload, Setting};
use reference_model::play::play;

const SECOND: u64 = 1_000_000_000;

fn setting(rate: Rate, bulkhead: Option<u32>) -> Setting {
    let function = Function {
        retries: 0,
        base_delay: SECOND,
        max_delay: SECOND,
        backoff: Backoff::Constant,
        jitter: Jitter::None,
        max_retry_after: SECOND,
        timeout: NEVER,
        deadline: NEVER,
        max_wait: 5 * SECOND,
    };
    Setting {
        waits_turn_the_clock: false,
        function,
        is_annotated: false,
        breaker: None,
        bucket: Some(rate),
        bulkhead,
        budget: None,
    }
}

fn call(outcomes: &[Outcome]) -> Operation {
    let outcomes = outcomes.iter().map(|&outcome| (outcome, 0)).collect();
    Operation::Call { outcomes, is_sync: false, is_polled: true }
}

fn agree(setting: Setting, operations: Vec<Operation>) {
    let played = play(&History { setting, operations }, None).unwrap_or_else(|difference| panic!("{difference}"));
    assert!(!played.was_cut_short);
}

/// It was taken off the list by the first reload, which changed nothing for it.
#[test]
fn who_waits_for_a_token_is_woken_by_the_second_reload_too() {
    let slow = Rate { interval: SECOND, burst: 1 };
    let again = Operation::Reload(Reload::Concurrency(1));
    let faster = Operation::Reload(Reload::Rate(Rate { interval: SECOND / 10, burst: 1 }));
    agree(setting(slow, None), vec![call(&[]), call(&[]), again, Operation::Poll(1), faster]);
}

/// The pause was reckoned by the new rate, for as long as that one's burst is worth.
#[test]
fn who_finds_no_place_gives_the_token_back_after_a_pause_and_another_rate() {
    let (before, after) = (Rate { interval: SECOND / 10, burst: 1 }, Rate { interval: 60 * SECOND, burst: 5 });
    let throttled = call(&[Outcome::Throttled(SECOND)]);
    let operations = vec![
        throttled,
        Operation::Pass(2 * SECOND),
        Operation::Reload(Reload::Rate(after)),
        call(&[]),
        call(&[]),
        Operation::TryAcquire(4),
    ];
    agree(setting(before, Some(1)), operations);
}

/// It became full at the moment of the reload, and so owed what the clock went back after it.
#[test]
fn a_budget_that_was_full_again_stays_full_when_it_is_changed_and_time_goes_back() {
    let settings = |pool| budget::Settings { token: SECOND, gain: 0, pool };
    let mut setting = setting(Rate { interval: SECOND, burst: 1 }, None);
    (setting.waits_turn_the_clock, setting.bucket, setting.budget) = (true, None, Some(settings(2)));
    setting.function.retries = 1;
    let fails_once = || call(&[Outcome::Transient(0), Outcome::Permanent]);
    let operations = vec![
        fails_once(),
        Operation::Pass(10 * SECOND),
        Operation::Reload(Reload::Budget(settings(1))),
        Operation::TurnBack(5 * SECOND),
        fails_once(),
    ];
    agree(setting, operations);
}
