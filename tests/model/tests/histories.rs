//! Random histories, in which the library must do what the model does.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use reference_model::history::{History, OPERATION, SETTING};
use reference_model::play::play;

/// So many of each property, or as many as `HISTORIES` says.
fn cases() -> u32 {
    std::env::var("HISTORIES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(2_000)
}

fn config() -> ProptestConfig {
    let failures = FileFailurePersistence::Direct(concat!(env!("CARGO_MANIFEST_DIR"), "/proptest-regressions/histories.txt"));
    ProptestConfig {
        cases: cases(),
        failure_persistence: Some(Box::new(failures)),
        max_shrink_iters: 20_000,
        ..ProptestConfig::default()
    }
}

/// Bytes of which the first say which policies there are: those of `all`, and any of `some`.
fn histories(all: u8, some: u8) -> impl Strategy<Value = Vec<u8>> {
    let setting = vec(any::<u8>(), SETTING);
    let operations = vec(any::<[u8; OPERATION]>(), 0..90);
    (setting, operations).prop_map(move |(mut setting, operations)| {
        setting[0] = setting[0] & some | all;
        setting.extend(operations.into_iter().flatten());
        setting
    })
}

fn agree(bytes: &[u8]) -> Result<(), TestCaseError> {
    let history = History::of(bytes);
    match play(&history, None) {
        Ok(_) => Ok(()),
        Err(difference) => Err(TestCaseError::fail(format!("{difference}\n{history:#?}\n{bytes:?}"))),
    }
}

const CLOCK: u8 = 1;
const BREAKER: u8 = 2;
const BUCKET: u8 = 4;
const BULKHEAD: u8 = 8;
const BUDGET: u8 = 16;
const ALL: u8 = CLOCK | BREAKER | BUCKET | BULKHEAD | BUDGET;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn breakers_do_what_the_model_does(bytes in histories(BREAKER, CLOCK)) {
        agree(&bytes)?;
    }

    #[test]
    fn buckets_do_what_the_model_does(bytes in histories(BUCKET, CLOCK)) {
        agree(&bytes)?;
    }

    #[test]
    fn bulkheads_do_what_the_model_does(bytes in histories(BULKHEAD, CLOCK)) {
        agree(&bytes)?;
    }

    #[test]
    fn budgets_do_what_the_model_does(bytes in histories(BUDGET, CLOCK)) {
        agree(&bytes)?;
    }

    #[test]
    fn whole_calls_do_what_the_model_does(bytes in histories(0, ALL)) {
        agree(&bytes)?;
    }

    #[test]
    fn functions_that_hear_of_configuration_do_what_the_model_does(bytes in histories(0, CLOCK)) {
        let mut bytes = bytes;
        bytes[SETTING - 1] |= 1;
        agree(&bytes)?;
    }

    #[test]
    fn calls_with_every_policy_do_what_the_model_does(bytes in histories(BREAKER | BUCKET | BULKHEAD | BUDGET, CLOCK)) {
        agree(&bytes)?;
    }
}
